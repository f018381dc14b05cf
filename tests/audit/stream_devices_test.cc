#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "audit/broker_fixture.h"
#include "audit/chain_builder.h"

namespace coffer::audit {
namespace {

// A socket of the test's own at which a device's records arrive.
class Peer {
 public:
  Peer(int type, const std::string& path) : descriptor_(::socket(AF_UNIX, type, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    Bind(reinterpret_cast<const sockaddr*>(&address), sizeof address, type);
  }
  explicit Peer(int type) : descriptor_(::socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    Bind(reinterpret_cast<const sockaddr*>(&address), size, type);
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Peer() { ::close(descriptor_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const std::string& Address() const { return address_; }
  int Accept() const { return ::accept(descriptor_, nullptr, nullptr); }
  int Descriptor() const { return descriptor_; }

 private:
  void Bind(const sockaddr* address, socklen_t size, int type) const {
    EXPECT_EQ(::bind(descriptor_, address, size), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(descriptor_, 8), 0);
    }
  }
  const int descriptor_;
  std::string address_;
};

// Returns what has arrived at `descriptor`, as long as something is there.
std::vector<std::string> Arrived(int descriptor) {
  std::vector<std::string> pieces;
  std::string piece(256 * 1024, '\0');
  pollfd ready{descriptor, POLLIN, 0};
  while (::poll(&ready, 1, 0) == 1) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got <= 0) break;
    pieces.push_back(piece.substr(0, static_cast<std::size_t>(got)));
  }
  return pieces;
}

std::vector<std::string> LinesOf(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = all.find('\n', at)) != std::string::npos; at = end + 1) {
    lines.push_back(all.substr(at, end - at));
  }
  return lines;
}

class StreamDevices : public BrokerTest {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    BrokerTest::SetUp();
  }
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
  void Declare(DeviceSettings settings) {
    settings.declared = true;
    Stop();
    Start({settings});
  }
  void ExpectIntact(const std::vector<std::string>& lines) {
    const auto key = crypto::EcdsaP256Key::FromPem(broker_->PublicKeyPem());
    const VerifyReport report = ChainBuilder::Check(lines, *key);
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.text;
    EXPECT_GT(report.covered, 0U);
  }
  bool OnDisk() const { return broker_->Counts().front().on_disk; }
};

TEST_F(StreamDevices, ASocketTakesTheChainLineByLine) {
  const Peer peer(SOCK_STREAM);
  Declare(Of("socket", {{"address", peer.Address()}}));
  const int connection = peer.Accept();
  ASSERT_TRUE(Record("1", true));
  ASSERT_TRUE(ChangeSomething());
  const auto lines = LinesOf(Arrived(connection));
  ASSERT_EQ(lines.size(), 3U) << "the start, its checkpoint and the record";
  EXPECT_EQ(json::parse(lines[2])["request"]["id"], "1");
  ExpectIntact(lines);
  EXPECT_FALSE(OnDisk());
  ::close(connection);
}

TEST_F(StreamDevices, AUnixSocketTakesTheChainToo) {
  const std::string path = (folder_.Path() / "socket").string();
  const Peer peer(SOCK_STREAM, path);
  Declare(Of("socket", {{"socket_type", "unix"}, {"address", path}}));
  const int connection = peer.Accept();
  ASSERT_TRUE(Record("1"));
  ExpectIntact(LinesOf(Arrived(connection)));
  ::close(connection);
}

TEST_F(StreamDevices, APeerThatLeavesIsNoRecordAndOneThatComesBackIs) {
  const Peer peer(SOCK_STREAM);
  Declare(Of("socket", {{"address", peer.Address()}}));
  ::close(peer.Accept());
  while (Record("nobody listens")) std::this_thread::yield();
  EXPECT_FALSE(broker_->Healthy());
  const int connection = peer.Accept();
  while (!Record("again")) std::this_thread::yield();
  const auto lines = LinesOf(Arrived(connection));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(json::parse(lines.front())["system"]["event"], "audit-recovered");
  ::close(connection);
}

TEST_F(StreamDevices, APeerThatReadsNothingRefusesWithinTheSocketsTime) {
  const Peer peer(SOCK_STREAM);
  Declare(Of("socket", {{"address", peer.Address()}, {"write_timeout", "1s"}}));
  const int connection = peer.Accept();
  while (Record("fills")) {
  }
  EXPECT_FALSE(broker_->Healthy());
  ::close(connection);
}

TEST_F(StreamDevices, ADatagramHoldsOneLine) {
  const Peer peer(SOCK_DGRAM);
  Declare(Of("socket", {{"socket_type", "udp"}, {"address", peer.Address()}}));
  ASSERT_TRUE(Record("1"));
  const auto pieces = Arrived(peer.Descriptor());
  EXPECT_EQ(pieces.size(), 3U);
  ExpectIntact(LinesOf(pieces));
}

TEST_F(StreamDevices, ARecordTooLongForADatagramIsRefusedAndNothingElse) {
  const Peer peer(SOCK_DGRAM);
  Declare(Of("socket", {{"socket_type", "udp"}, {"address", peer.Address()}}));
  EXPECT_FALSE(Record(std::string(70'000, 'x')));
  EXPECT_TRUE(broker_->Healthy());
  EXPECT_TRUE(Record("1"));
}

TEST_F(StreamDevices, ALongAnswerIsRecordedInADatagramByItsHash) {
  const Peer peer(SOCK_DGRAM);
  Declare(Of("socket", {{"socket_type", "udp"}, {"address", peer.Address()}}));
  Arrived(peer.Descriptor());
  const Caller caller{"accessor", "root", {}, {}};
  std::string answer = "{\"keys\":[\"0\"";
  for (int i = 0; i < 20'000; ++i) answer += ",\"" + std::to_string(i) + "\"";
  answer += "]}";
  Entry entry;
  entry.type = Entry::Type::kResponse;
  entry.request_id = "1";
  entry.caller = &caller;
  entry.response_data = answer;
  ASSERT_TRUE(broker_->Record(entry));
  const auto lines = LinesOf(Arrived(peer.Descriptor()));
  ASSERT_EQ(lines.size(), 1U);
  const json elided = json::parse(lines[0])["response"]["data"]["elided"];
  EXPECT_EQ(elided["octets"], answer.size());
  EXPECT_EQ(elided["hash"], broker_->HashOf("a/", answer).value());
}

TEST_F(StreamDevices, TheSystemsLogTakesEachLineWithItsFacilityAndTag) {
  const std::string path = (folder_.Path() / "log").string();
  const Peer peer(SOCK_DGRAM, path);
  DeviceSettings settings = Of("syslog", {{"facility", "LOCAL3"}, {"tag", "vault"}});
  EXPECT_EQ(settings.address, "/dev/log");
  settings.address = path;
  Declare(settings);
  ASSERT_TRUE(Record("1"));
  std::vector<std::string> lines;
  for (const std::string& message : Arrived(peer.Descriptor())) {
    EXPECT_TRUE(message.starts_with("<158>")) << message;
    const std::string tag = " vault[" + std::to_string(::getpid()) + "]: ";
    const std::size_t at = message.find(tag);
    ASSERT_NE(at, std::string::npos) << message;
    lines.push_back(message.substr(at + tag.size()));
  }
  EXPECT_EQ(lines.size(), 3U);
  ExpectIntact(lines);
}

TEST_F(StreamDevices, TheProcessesOwnOutputTakesTheChain) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const int saved = ::dup(STDOUT_FILENO);
  std::fflush(stdout);
  ::dup2(ends[1], STDOUT_FILENO);
  Declare(Of("file", {{"file_path", "/dev/stdout"}}));
  const bool recorded = Record("1", true).has_value();
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  EXPECT_TRUE(recorded);
  const auto lines = LinesOf(Arrived(ends[0]));
  EXPECT_EQ(lines.size(), 3U);
  ExpectIntact(lines);
  EXPECT_FALSE(OnDisk());
  EXPECT_EQ(OptionsOf(broker_->List().front()).front().second, "stdout");
  ::close(ends[0]);
  ::close(ends[1]);
}

// An unread output must not hold up a worker for ever, although the stream is not non-blocking.
TEST_F(StreamDevices, AnOutputThatNobodyReadsRefuses) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  Declare(Of("file", {{"file_path", "stderr"}}));
  while (Record("fills")) {
  }
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  EXPECT_FALSE(broker_->Healthy());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(StreamDevices, TheApiSendsRecordsOnlyWhereTheConfigurationSays) {
  const Peer peer(SOCK_STREAM);
  const Status refused = broker_->Enable(Of("socket", {{"address", peer.Address()}}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("audit_socket_addresses"), std::string::npos);
  sockets_ = {peer.Address()};
  Stop();
  Start();
  ASSERT_TRUE(broker_->Enable(Of("socket", {{"address", peer.Address()}})));
  const int connection = peer.Accept();
  DeviceSettings second = Of("socket", {{"address", peer.Address()}});
  second.path = "b/";
  EXPECT_FALSE(broker_->Enable(second)) << "the target is taken";
  Stop();
  Start();
  ASSERT_EQ(broker_->List().size(), 1U);
  EXPECT_EQ(broker_->List()[0].address, peer.Address());
  ::close(connection);
}

TEST_F(StreamDevices, ADeviceThatIsNeitherAFileNorAPipeStopsTheStart) {
  for (const std::string file : {"/dev/zero", "/dev/full", "/dev/tty0"}) {
    DeviceSettings settings = Of("file", {{"file_path", file}});
    settings.declared = true;
    Stop();
    EXPECT_FALSE(TryStart({settings})) << file;
  }
}

TEST_F(StreamDevices, APipeCannotBeAskedForWhatOnlyAFileGives) {
  ASSERT_EQ(::mkfifo(File("pipe").c_str(), 0600), 0);
  const int reader = ::open(File("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT_FALSE(broker_->Enable(Of("file", {{"file_path", "pipe"}, {"sync", "always"}})));
  EXPECT_FALSE(broker_->Enable(Of("file", {{"file_path", "pipe"}, {"rotate_bytes", "65536"}})));
  EXPECT_TRUE(broker_->Enable(Of("file", {{"file_path", "pipe"}})));
  EXPECT_FALSE(OnDisk());
  ::close(reader);
}

TEST_F(StreamDevices, ASignalToReopenLeavesAConnectionAsItIs) {
  const Peer peer(SOCK_STREAM);
  Declare(Of("socket", {{"address", peer.Address()}}));
  const int connection = peer.Accept();
  broker_->Reopen();
  ASSERT_TRUE(Record("1", true));
  ASSERT_TRUE(Record("2", true));
  EXPECT_EQ(LinesOf(Arrived(connection)).size(), 4U);
  ::close(connection);
}

TEST(DeviceOptions, RefuseWhatWouldRecordNothingOrCannotBeKept) {
  const auto refusal = [](const std::string& type,
                          std::vector<std::pair<std::string, std::string>> options) {
    auto settings = SettingsOfType(type);
    if (!settings) return settings.error().message;
    for (const auto& [name, value] : options) {
      if (const Status set = SetOption(*settings, name, value); !set) return set.error().message;
    }
    const Status fits = CheckSettings(*settings);
    return fits ? std::string() : fits.error().message;
  };
  EXPECT_EQ(refusal("file", {{"file_path", "/var/log/a"}}), "");
  EXPECT_EQ(refusal("file", {{"file_path", "stdout"}}), "");
  EXPECT_EQ(refusal("syslog", {}), "");
  EXPECT_EQ(refusal("socket", {{"address", "localhost:9000"}}), "");
  EXPECT_NE(refusal("mail", {}), "");
  EXPECT_NE(refusal("file", {}), "");
  EXPECT_NE(refusal("file", {{"file_path", "discard"}}), "");
  EXPECT_NE(refusal("file", {{"file_path", "/dev/null"}}), "");
  EXPECT_NE(refusal("file", {{"file_path", "stdout"}, {"sync", "always"}}), "");
  EXPECT_NE(refusal("file", {{"file_path", "stderr"}, {"rotate_bytes", "65536"}}), "");
  EXPECT_NE(refusal("file", {{"file_path", "/a"}, {"mode", "0644"}}), "");
  EXPECT_NE(refusal("file", {{"file_path", "/a"}, {"log_raw", "true"}}), "");
  EXPECT_NE(refusal("file", {{"file_path", "/a"}, {"tag", "x"}}), "");
  EXPECT_NE(refusal("syslog", {{"facility", "AUDIT"}}), "");
  EXPECT_NE(refusal("syslog", {{"tag", "a]: b"}}), "");
  EXPECT_NE(refusal("syslog", {{"sync", "always"}}), "");
  EXPECT_NE(refusal("socket", {}), "");
  EXPECT_NE(refusal("socket", {{"address", "10.0.0.1"}}), "");
  EXPECT_NE(refusal("socket", {{"address", "10.0.0.1:0"}}), "");
  EXPECT_NE(refusal("socket", {{"address", "10.0.0.1:1"}, {"socket_type", "unix"}}), "");
  EXPECT_NE(refusal("socket", {{"address", "10.0.0.1:1"}, {"socket_type", "sctp"}}), "");
  EXPECT_NE(refusal("socket", {{"address", "10.0.0.1:1"}, {"write_timeout", "0"}}), "");
}

}  // namespace
}  // namespace coffer::audit
