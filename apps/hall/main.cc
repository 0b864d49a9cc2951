#include "app.h"

int main(int argc, char** argv) {
  wirehall::Server io{wirehall::Config::load(argc, argv, wirehall::Hall::defaults())};
  wirehall::Hall hall{io};
  app::install(io, hall);
  io.serve_directory("client");  // feature: js
  return io.run();
}
