"""What `./dev bench` is made of; bench/README.md says what is measured and how."""
