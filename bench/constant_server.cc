// The http room alone, as a yardstick: two workers that answer every request with the same JSON.
//   constant_server FILE [CERTIFICATE KEY]    answers FILE's content, over TLS with a certificate;
//                                             prints its address; serves until SIGTERM

#include <signal.h>

#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "coffer/base/logger.h"
#include "coffer/http/server.h"

namespace coffer {
namespace {

class ConstantHandler final : public http::Handler {
 public:
  explicit ConstantHandler(std::string body) : body_(std::move(body)) {}

  void Handle(const http::Request&, http::Response& response) override { response.body = body_; }
  http::Admission Admit(const http::Request&) override {
    http::Admission known;
    known.owner = 1;
    return known;
  }

 private:
  const std::string body_;
};

int Run(const char* path, std::optional<http::TlsOptions> tls) {
  std::ifstream file(path, std::ios::binary);
  std::string body{std::istreambuf_iterator<char>(file), {}};
  if (body.empty()) {
    std::cerr << "constant_server: cannot read " << path << "\n";
    return 1;
  }
  // Before the workers start, so that they inherit the mask and only sigwait() gets the signal.
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGINT);
  ::sigaddset(&stop, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  ConstantHandler handler(std::move(body));
  NullLogger logger;
  http::Options options;
  http::Listener listener;
  listener.address = "127.0.0.1:0";
  listener.tls = std::move(tls);
  options.listeners.push_back(std::move(listener));
  options.workers = 2;
  const auto server = http::Server::Start(options, handler, logger);
  if (!server) {
    std::cerr << "constant_server: " << server.error().message << "\n";
    return 1;
  }
  std::cout << (*server)->Addresses().front() << std::endl;
  int signal = 0;
  ::sigwait(&stop, &signal);
  return 0;
}

}  // namespace
}  // namespace coffer

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: constant_server FILE [CERTIFICATE KEY]\n";
    return 2;
  }
  try {
    std::optional<coffer::http::TlsOptions> tls;
    if (argc == 4) {
      tls.emplace();
      tls->certificate_file = argv[2];
      tls->key_file = argv[3];
    }
    return coffer::Run(argv[1], std::move(tls));
  } catch (const std::exception& error) {
    std::cerr << "constant_server: " << error.what() << "\n";
    return 1;
  }
}
