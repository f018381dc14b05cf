#include "coffer/audit/target_check.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "audit/broker_fixture.h"

namespace coffer::audit {
namespace {

// A TCP socket that somebody listens on.
class Listening {
 public:
  Listening() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(descriptor_, 1), 0);
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { ::close(descriptor_); }
  std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int descriptor_;
  int port_ = 0;
};

class TargetCheck : public BrokerTest {
 protected:
  static DeviceSettings Of(const std::string& type,
                           std::initializer_list<std::pair<const char*, std::string>> options) {
    DeviceSettings settings = SettingsOfType(type).value();
    settings.path = "a/";
    for (const auto& [name, value] : options) {
      const Status set = SetOption(settings, name, value);
      EXPECT_TRUE(set) << set.error().message;
    }
    return settings;
  }
};

TEST_F(TargetCheck, ATargetIsCheckedWithoutBeingWrittenTo) {
  const auto why = [](const DeviceSettings& settings) {
    const Status fits = CheckTarget(settings);
    return fits ? std::string() : fits.error().message;
  };
  {
    const Listening peer;
    EXPECT_EQ(why(Of("socket", {{"address", peer.Address()}})), "");
  }
  EXPECT_EQ(why(Of("socket", {{"address", "127.0.0.1:1"}})),
            "failed to write tcp://127.0.0.1:1: Connection refused");
  DeviceSettings log = Of("syslog", {});
  log.address = (folder_.Path() / "log").string();
  EXPECT_NE(why(log).find("No such file or directory"), std::string::npos);
  EXPECT_EQ(why(Of("file", {{"file_path", "stdout"}})), "");
}

TEST_F(TargetCheck, AFileIsCheckedForItsPlaceKindModeAndContent) {
  const auto why = [&](const std::filesystem::path& file) {
    const Status fits = CheckTarget(Of("file", {{"file_path", file.string()}}));
    return fits ? std::string() : fits.error().message;
  };
  const std::filesystem::path fresh = folder_.Path() / "fresh.log";
  EXPECT_EQ(why(fresh), "");
  EXPECT_FALSE(std::filesystem::exists(fresh)) << "a check makes nothing";
  EXPECT_EQ(why(folder_.Path() / "none" / "a.log"),
            "failed to write " + (folder_.Path() / "none" / "a.log").string() +
                ": No such file or directory");
  DeviceSettings own = Of("file", {{"file_path", fresh.string()}});
  own.declared = true;
  Stop();
  Start({own});
  ASSERT_TRUE(Record("1", true));
  EXPECT_EQ(why(fresh), "") << "a device's own file, while it writes";
  std::filesystem::create_symlink(fresh, folder_.Path() / "link");
  EXPECT_NE(why(folder_.Path() / "link").find("symbolic link"), std::string::npos);
  EXPECT_NE(why(folder_.Path()).find("neither a file nor a named pipe"), std::string::npos);
  std::ofstream(folder_.Path() / "other") << "127.0.0.1 - GET /\n";
  EXPECT_NE(why(folder_.Path() / "other").find("something else than audit entries"),
            std::string::npos);
  const std::filesystem::path pipe = folder_.Path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(why(pipe).find("nobody reads the pipe"), std::string::npos);
}

}  // namespace
}  // namespace coffer::audit
