// Pistache's own hello world, as its examples have it: the yardstick for the http room.
//   pistache_hello FILE [CERTIFICATE KEY]    answers FILE's content; prints its port; serves until
//                                            SIGTERM

#include <pistache/endpoint.h>
#include <signal.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

std::string body;

struct HelloHandler : public Pistache::Http::Handler {
  HTTP_PROTOTYPE(HelloHandler)
  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter response) override {
    response.send(Pistache::Http::Code::Ok, body);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: pistache_hello FILE [CERTIFICATE KEY]\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  body.assign(std::istreambuf_iterator<char>(file), {});
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGINT);
  ::sigaddset(&stop, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  Pistache::Http::Endpoint server(Pistache::Address(Pistache::Ipv4::loopback(), Pistache::Port(0)));
  server.init(
      Pistache::Http::Endpoint::options().threads(2).flags(Pistache::Tcp::Options::ReuseAddr));
  server.setHandler(Pistache::Http::make_handler<HelloHandler>());
  if (argc == 4) server.useSSL(argv[2], argv[3]);
  server.serveThreaded();
  std::cout << "127.0.0.1:" << server.getPort() << std::endl;
  int signal = 0;
  ::sigwait(&stop, &signal);
  server.shutdown();
  return 0;
}
