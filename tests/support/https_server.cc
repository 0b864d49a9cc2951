#include "support/https_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>

namespace wirehall::test {

bool HttpsServer::Client::write(std::string_view bytes) {
  return tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) > 0
                         : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
}

bool HttpsServer::Client::gone_within(int milliseconds) {
  pollfd watched{socket_, POLLRDHUP, 0};
  return ::poll(&watched, 1, milliseconds) > 0;
}

HttpsServer::HttpsServer(Answer answer, const TlsFiles& tls) : answer_(std::move(answer)) {
  std::signal(SIGPIPE, SIG_IGN);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(listener_, 8), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
  port_ = ntohs(address.sin_port);
  if (!tls.certificate.empty()) start_tls(tls);
  thread_ = std::thread([this] { run(); });
}

HttpsServer::HttpsServer(std::string answer)
    : HttpsServer([answer = std::move(answer)](Client& client) { client.write(answer); }) {}

HttpsServer::~HttpsServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  SSL_CTX_free(context_);
}

std::string HttpsServer::url(const std::string& host, const std::string& path) const {
  return (context_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
}

void HttpsServer::start_tls(const TlsFiles& files) {
  const auto bio = [](const std::string& pem) {
    return std::unique_ptr<BIO, decltype(&BIO_free_all)>(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  };
  X509* certificate = PEM_read_bio_X509(bio(files.certificate).get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio(files.private_key).get(), nullptr, nullptr, nullptr);
  context_ = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate(context_, certificate), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key), 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

void HttpsServer::run() {
  for (;;) {
    Client client;
    client.socket_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client.socket_ < 0) return;
    ++connections_;
    if (context_ != nullptr) {
      client.tls_ = SSL_new(context_);
      SSL_set_fd(client.tls_, client.socket_);
    }
    if (client.tls_ == nullptr || SSL_accept(client.tls_) == 1) serve(client);
    SSL_free(client.tls_);
    ::close(client.socket_);
  }
}

void HttpsServer::serve(Client& client) {
  char buffer[4096];
  request_.clear();
  while (request_.find("\r\n\r\n") == std::string::npos) {
    const auto count = client.tls_ != nullptr
                           ? SSL_read(client.tls_, buffer, sizeof(buffer))
                           : static_cast<int>(::recv(client.socket_, buffer, sizeof(buffer), 0));
    if (count <= 0) return;
    request_.append(buffer, static_cast<std::size_t>(count));
  }
  answer_(client);
  if (client.tls_ != nullptr) SSL_shutdown(client.tls_);
}

}  // namespace wirehall::test
