#include "http/framing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/target.h"

namespace coffer::http {
namespace {

using State = RequestFramer::State;
using namespace std::string_literals;

constexpr FrameLimits kLimits{1024, 64};

struct Outcome {
  State state = State::kNeedMore;
  int status = 0;
  std::string path;
  std::string body;
  std::size_t consumed = 0;
  bool keep_alive = false;
  bool operator==(const Outcome&) const = default;
};

// Feeds `input` to the framer in steps of `step` bytes until it has a whole request or an error.
Outcome Feed(const std::string& input, std::size_t step) {
  RequestFramer framer(kLimits);
  Outcome outcome;
  std::size_t given = 0;
  while (outcome.state == State::kNeedMore && given < input.size()) {
    given = std::min(given + step, input.size());
    outcome.state = framer.Advance(std::string_view(input).substr(0, given));
  }
  Request request;
  if (outcome.state == State::kComplete) {
    if (!framer.Fill(std::string_view(input).substr(0, given), request)) {
      outcome.state = State::kError;
    } else {
      outcome.path = request.path;
      outcome.body = request.body;
      outcome.consumed = framer.Consumed();
      outcome.keep_alive = framer.KeepAlive();
    }
  }
  if (outcome.state == State::kError) outcome.status = framer.Error().status;
  return outcome;
}

std::string Get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
std::string WithFields(const std::string& fields, const std::string& body = "") {
  return "POST /v1/a HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string Chunked(const std::string& body) {
  return WithFields("Transfer-Encoding: chunked\r\n", body);
}

std::string Repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct Accepted {
  std::string input;
  std::string path;
  std::string body;
  bool keep_alive = true;
};

std::vector<Accepted> AcceptedRequests() {
  std::vector<Accepted> cases{
      {Get("/"), "/", ""},
      {"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8200\r\n\r\n", "/", ""},
      {"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "/", ""},
      {"GET / HTTP/1.1\r\nHost: 192.0.2.1:\r\n\r\n", "/", ""},
      {Get("/v1/a//b///c"), "/v1/a/b/c", ""},
      {Get("//v1"), "/v1", ""},
      {Get("/v1/a/"), "/v1/a/", ""},
      {Get("/v1/a%20b"), "/v1/a b", ""},
      {Get("/v1/%C3%A9"), "/v1/\xc3\xa9", ""},
      {Get("/v1/%e2%82%ac"), "/v1/\xe2\x82\xac", ""},
      {Get("/v1/%f0%9f%94%91"), "/v1/\xf0\x9f\x94\x91", ""},
      {Get("/v1/%252e%252e/a"), "/v1/%2e%2e/a", ""},
      {Get("/v1/a;b=c"), "/v1/a;b=c", ""},
      {Get("/v1/a+b"), "/v1/a+b", ""},
      {Get("/v1/.a/..b/..."), "/v1/.a/..b/...", ""},
      {Get("/v1/a?"), "/v1/a", ""},
      {Get("/v1/a?b"), "/v1/a", ""},
      {Get("http://a/v1/b"), "/v1/b", ""},
      {Get("HTTPS://[::1]:8200/v1//b%20c?d=e"), "/v1/b c", ""},
      {Get("http://b.example/v1/a"), "/v1/a", ""},
      {Get("http://a"), "/", ""},
      {Get("http://a?b=c"), "/", ""},
      {Get("/" + std::string(300, 'a')), "/" + std::string(300, 'a'), ""},
      {Get(Repeated("/a", 64)), Repeated("/a", 64), ""},
      {Get("/v1/a?b=c&&d=%41"), "/v1/a", ""},
      {Get("/v1/a?b=../.."), "/v1/a", ""},
      {"GET / HTTP/1.0\r\n\r\n", "/", "", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/", "", false},
      {"GET / HTTP/1.1\r\nHOST: [::1]:8200\r\n\r\n", "/", ""},
      {"GET / HTTP/1.1\r\nhost:  a.example:8200 \r\n\r\n", "/", ""},
      {WithFields("Connection: close\r\n"), "/v1/a", "", false},
      {WithFields("Connection: x, CLOSE\r\n"), "/v1/a", "", false},
      {WithFields("Connection: closed\r\n"), "/v1/a", ""},
      {WithFields("Connection: keep-alive\r\n"), "/v1/a", ""},
      {WithFields("Content-Length: 0\r\n"), "/v1/a", ""},
      {WithFields("Content-Length: 5\r\n", "hello"), "/v1/a", "hello"},
      {WithFields("Content-Length:  005 \r\n", "hello"), "/v1/a", "hello"},
      {WithFields("content-length: 64\r\n", std::string(64, 'b')), "/v1/a", std::string(64, 'b')},
      {WithFields("Content-Length: 3\r\n", "\0\r\n"s), "/v1/a", "\0\r\n"s},
      {WithFields("Content-Encoding: identity\r\n"), "/v1/a", ""},
      {WithFields("Expect: 100-continue\r\nContent-Length: 2\r\n", "ok"), "/v1/a", "ok"},
      {WithFields("X-Empty:\r\n"), "/v1/a", ""},
      {Chunked("0\r\n\r\n"), "/v1/a", ""},
      {Chunked("5\r\nhello\r\n0\r\n\r\n"), "/v1/a", "hello"},
      {Chunked("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), "/v1/a", "hello"},
      {Chunked("00A\r\n0123456789\r\n000\r\n\r\n"), "/v1/a", "0123456789"},
      {Chunked("a\r\n01234\r\n789\r\n0\r\n\r\n"), "/v1/a", "01234\r\n789"},
      {Chunked("1\r\nx\r\n0\r\nTrailer: y\r\n\r\n"), "/v1/a", "x"},
      {Chunked("1;a\r\nx\r\n0;a=b\r\n\r\n"), "/v1/a", "x"},
      {Chunked("1 ; a = b;c=\"d \\\" ; e\" ;f\r\nx\r\n0\r\n\r\n"), "/v1/a", "x"},
      {Chunked("1;a=\"\"\r\nx\r\n0\r\n\r\n"), "/v1/a", "x"},
      {WithFields("Transfer-Encoding: CHUNKED\r\n", "1\r\nx\r\n0\r\n\r\n"), "/v1/a", "x"},
  };
  for (const char* method :
       {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LIST", "SCAN"}) {
    cases.push_back({method + " /m HTTP/1.1\r\nHost: a\r\n\r\n"s, "/m", ""});
  }
  return cases;
}

struct Refused {
  std::string input;
  int status = 400;
};

std::vector<Refused> RefusedRequests() {
  std::vector<Refused> cases{
      {"\r\n\r\n"},
      {"\n"},
      {"GET / HTTP/1.1\nHost: a\n\n"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n"},
      {"GET /\r\n\r\n"},
      {"GET\r\n\r\n"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 505},
      {"GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a:+1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a..b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: []\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost:\ta\r\n\r\n"},
      {WithFields("Content-Length: 2\t\r\n", "ab")},
      {WithFields("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n")},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {WithFields("X: " + std::string(1024, 'x') + "\r\n"), 431},
      {"GET /" + std::string(2000, 'a'), 431},
      {WithFields("X: " + std::string(2000, 'x')), 431},
      {WithFields(Repeated("X:\r\n", 210)), 431},
      {Get(Repeated("/a", 65)), 414},
      {Get("/" + Repeated("%2fa", 65)), 414},
  };
  for (const char* target : {"a",
                             "*",
                             "ftp://a/v1",
                             "http:///",
                             "a:1",
                             "/..",
                             "http://u@a/",
                             "http://",
                             "http:/a",
                             "http://a/../b",
                             "http://a b/",
                             "://a/",
                             "http://a#b",
                             "http://a:x/",
                             "/.",
                             "/a/..",
                             "/a/../b",
                             "/a/./b",
                             "/%2e%2e",
                             "/%2E%2e/a",
                             "/a/%2e/b",
                             "/.%2e",
                             "/a%2f..%2fb",
                             "/%",
                             "/%4",
                             "/%4g",
                             "/%g4",
                             "/%00",
                             "/%0a",
                             "/%0d%0aX:y",
                             "/%7f",
                             "/%ff",
                             "/%c0%af",
                             "/%c3",
                             "/%e2%82",
                             "/%ed%a0%80",
                             "/%f4%90%80%80",
                             "/%e0%80%af",
                             "/%80",
                             "/#a",
                             "/a?b#c",
                             "/a?b=%",
                             "/a?b=%zz",
                             "/a?b=%00",
                             "/a?%ff=b",
                             "?a=b"}) {
    cases.push_back({Get(target)});
  }
  for (const char* field : {"Content-Length: abc",
                            "Content-Length: 5abc",
                            "Content-Length: +5",
                            "Content-Length: -1",
                            "Content-Length:",
                            "Content-Length: 1 1",
                            "Content-Length: 1,1",
                            "Content-Length: 0x1",
                            "Content-Length: 1.0",
                            "Content-Length: 99999999999999999999",
                            "Content-Length: 18446744073709551617",
                            "Content-Length: 1\r\nContent-Length: 1",
                            "Content-Length: 1\r\nContent-Length: 2",
                            "Content-Length : 1",
                            "Transfer-Encoding : chunked",
                            "Transfer-Encoding: chunked\r\nContent-Length: 1",
                            "Content-Length: 1\r\nTransfer-Encoding: chunked",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                            "X",
                            ": x",
                            "X\t: y",
                            "X Y: z",
                            "X(: y",
                            " folded",
                            "X: y\r\n z",
                            "X: y\r\n\tz",
                            "X: \x01",
                            "X: \x7f",
                            "X: \x80",
                            "X: \xc3\xa9",
                            "X: a\rb",
                            "X: a\nb",
                            "X: \x1b[0m",
                            "X: a\vb"}) {
    cases.push_back({WithFields(field + "\r\n"s, "x")});
  }
  cases.push_back({WithFields("X: a\0b\r\n"s)});
  cases.push_back({"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s});
  cases.push_back({"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"});
  cases.push_back({WithFields("Content-Length: 65\r\n"), 413});
  cases.push_back({WithFields("Transfer-Encoding: gzip\r\n"), 501});
  cases.push_back({WithFields("Transfer-Encoding: gzip, chunked\r\n"), 501});
  cases.push_back(
      {WithFields("Transfer-Encoding: \x0b"
                  "chunked\r\n")});
  cases.push_back({WithFields("Transfer-Encoding:\r\n"), 501});
  cases.push_back({WithFields("Content-Encoding: gzip\r\n"), 415});
  cases.push_back({WithFields("Expect: 200-ok\r\n"), 417});
  for (const char* body : {"x\r\n",
                           "\r\n",
                           "-1\r\n",
                           "+1\r\nx\r\n",
                           "0x1\r\nx\r\n",
                           " 1\r\nx\r\n",
                           "1 \r\nx\r\n",
                           "1;\r\nx\r\n",
                           "1;a=\r\nx\r\n",
                           "1;a b\r\nx\r\n",
                           "1;a=b c\r\nx\r\n",
                           "1;a=\"b\r\nx\r\n",
                           "1;a=\"b\\\r\nx\r\n",
                           "1;a=\"b\"c\r\nx\r\n",
                           "1;a=\"b\x01\"\r\nx\r\n",
                           "1;a=\"b\nc\"\r\nx\r\n",
                           "1;a;\r\nx\r\n",
                           "1;a \r\nx\r\n",
                           ";a\r\nx\r\n",
                           " 1;a\r\nx\r\n",
                           "1\nx\n0\n\n",
                           "1\r\nxy\r\n",
                           "1\r\nx\n0\r\n\r\n",
                           "1\r\nx0\r\n\r\n",
                           "0\r\nbad\r\n\r\n",
                           "0\r\n: x\r\n\r\n",
                           "0\r\n X: y\r\n\r\n",
                           "0\r\nX : y\r\n\r\n",
                           "0\r\nX: \x01\r\n\r\n",
                           "0\r\nX: \x80\r\n\r\n",
                           "1234567890abcdef\r\n",
                           "g\r\n",
                           "0\r\nX: a\rb\r\n\r\n"}) {
    cases.push_back({Chunked(body)});
  }
  cases.push_back({Chunked(std::string(70, '0') + "1\r\nx\r\n")});
  cases.push_back({Chunked("1;a=" + std::string(1100, 'b'))});
  cases.push_back({Chunked("41\r\n"), 413});
  cases.push_back({Chunked("fffffffffffffff\r\n"), 413});
  cases.push_back({Chunked("1\r\nx\r\n40\r\n"), 413});
  return cases;
}

TEST(RequestFramer, ReadsWholeRequestsTheSameHoweverTheyAreCut) {
  for (const Accepted& one : AcceptedRequests()) {
    SCOPED_TRACE(one.input);
    const Outcome expected{State::kComplete, 0, one.path, one.body, one.input.size(),
                           one.keep_alive};
    EXPECT_EQ(Feed(one.input, one.input.size()), expected);
    EXPECT_EQ(Feed(one.input, 1), expected);
    EXPECT_EQ(Feed(one.input, 7), expected);
  }
}

TEST(RequestFramer, LeavesThePipelinedRequestsOctetsAlone) {
  for (const Accepted& one : AcceptedRequests()) {
    SCOPED_TRACE(one.input);
    const std::string input = one.input + Get("/next");
    const Outcome outcome = Feed(input, input.size());
    EXPECT_EQ(outcome.body, one.body);
    EXPECT_EQ(outcome.consumed, one.input.size());
  }
}

TEST(RequestFramer, WaitsForMoreOfEveryPrefixOfARequest) {
  for (const Accepted& one : AcceptedRequests()) {
    SCOPED_TRACE(one.input);
    for (std::size_t size = 1; size < one.input.size(); ++size) {
      ASSERT_EQ(Feed(one.input.substr(0, size), size).state, State::kNeedMore) << size;
    }
  }
}

TEST(RequestFramer, RefusesWhatCouldBeReadInTwoWays) {
  for (const Refused& one : RefusedRequests()) {
    SCOPED_TRACE(one.input);
    for (const std::size_t step : {one.input.size(), std::size_t{1}}) {
      const Outcome outcome = Feed(one.input, step);
      EXPECT_EQ(outcome.state, State::kError);
      EXPECT_EQ(outcome.status, one.status);
    }
  }
}

TEST(RequestFramer, RefusesABodyThatIsMostlyChunkSizes) {
  std::string chunks;
  for (int i = 0; i < 60; ++i) chunks += "000000000000001\r\nx\r\n";
  const std::string input = WithFields("Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n");
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, input.size()}) {
    EXPECT_EQ(Feed(input, step).status, 413);
  }
}

TEST(RequestFramer, RefusesAPathThatIsTooLong) {
  for (const std::size_t size : {4096U, 4097U}) {
    const std::string input = Get("/" + std::string(size - 1, 'a') + "?" + std::string(8000, 'q'));
    RequestFramer framer({64UL * 1024, 64});
    ASSERT_EQ(framer.Advance(input), State::kComplete);
    Request request;
    EXPECT_EQ(framer.Fill(input, request), size == 4096);
    EXPECT_EQ(framer.Error().status, size == 4096 ? 400 : 414);
  }
}

TEST(RequestFramer, ABodyLimitThatIsSetLaterHoldsForOneRequest) {
  const FrameError error{413, "for you"};
  for (const std::string& input : {WithFields("Content-Length: 20\r\n", std::string(20, 'b')),
                                   Chunked("a\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n")}) {
    RequestFramer framer(kLimits);
    ASSERT_EQ(framer.Advance(input.substr(0, input.find("\r\n\r\n") + 4)), State::kNeedMore);
    // A Content-Length breaks the limit at once, chunks break it when they come.
    EXPECT_TRUE(!framer.LimitBody(19, error) || framer.Advance(input) == State::kError);
    EXPECT_EQ(std::string_view(framer.Error().text), "for you");
    framer.Reset();
    EXPECT_EQ(framer.Advance(input), State::kComplete);
    EXPECT_FALSE(framer.LimitBody(19, error));
  }
}

TEST(RequestFramer, ABodyLimitThatIsSetLaterCountsWhatAChunkHasAnnounced) {
  const FrameError error{413, "for you"};
  const std::string input = Chunked("14\r\nabc");
  RequestFramer framer(kLimits);
  ASSERT_EQ(framer.Advance(input), State::kNeedMore);
  EXPECT_FALSE(framer.LimitBody(19, error));
  RequestFramer roomy(kLimits);
  ASSERT_EQ(roomy.Advance(input), State::kNeedMore);
  EXPECT_TRUE(roomy.LimitBody(20, error));
  EXPECT_EQ(roomy.Advance(input + "defghijklmnopqrst\r\n1\r\n"), State::kError);
}

TEST(RequestFramer, AsksForTheBodyOnceWhenTheClientWaits) {
  const std::string head = WithFields("Expect: 100-continue\r\nContent-Length: 2\r\n");
  RequestFramer framer(kLimits);
  ASSERT_EQ(framer.Advance(head), State::kNeedMore);
  EXPECT_TRUE(framer.TakeContinue());
  EXPECT_FALSE(framer.TakeContinue());
}

TEST(RequestFramer, GivesHeadersInLowerCaseAndTrimmed) {
  const std::string input = WithFields("X-Vault-Token: \t s.1 \r\n");
  RequestFramer framer(kLimits);
  ASSERT_EQ(framer.Advance(input), State::kComplete);
  Request request;
  ASSERT_TRUE(framer.Fill(input, request));
  EXPECT_EQ(request.Header("x-vault-token"), "s.1");
  EXPECT_EQ(request.Header("x-other"), "");
}

TEST(RequestFramer, ForgetsARequestAfterReset) {
  const std::string first =
      WithFields("Transfer-Encoding: chunked\r\nConnection: close\r\n", "5\r\nhello\r\n0\r\n\r\n");
  RequestFramer framer(kLimits);
  ASSERT_EQ(framer.Advance(first), State::kComplete);
  framer.Reset();
  const std::string second = Get("/second");
  ASSERT_EQ(framer.Advance(second), State::kComplete);
  Request request;
  ASSERT_TRUE(framer.Fill(second, request));
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.headers.size(), 1U);
  EXPECT_TRUE(framer.KeepAlive());
}

TEST(DecodeTarget, RefusesMoreParametersThanAnybodyNeeds) {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string target = "/a?";
  for (int i = 0; i < 256; ++i) target += "&p&";
  ASSERT_TRUE(DecodeTarget(target, path, query));
  EXPECT_EQ(query.size(), 256U);
  EXPECT_FALSE(DecodeTarget(target + "p", path, query));
}

TEST(DecodeTarget, DecodesTheQueryOnceAndInOrder) {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  ASSERT_TRUE(DecodeTarget("/a?x=1+2&y=%2B&x=&list&z=a=b&%61=%2541", path, query));
  const std::vector<std::pair<std::string, std::string>> expected{
      {"x", "1 2"}, {"y", "+"}, {"x", ""}, {"list", ""}, {"z", "a=b"}, {"a", "%41"}};
  EXPECT_EQ(query, expected);
}

TEST(RequestFramer, KeepsTheTargetAndTheHeadAsTheyWereSent) {
  const std::string head =
      "POST /a%2Fb//c?x=%41+b HTTP/1.1\r\nHost: H:80\r\nX-Mixed:  Two  Blanks \r\n"
      "Content-Length: 2\r\n\r\n";
  const std::string input = head + "{}GET /next";
  RequestFramer framer{FrameLimits{}};
  ASSERT_EQ(framer.Advance(input), RequestFramer::State::kComplete);
  Request request;
  ASSERT_TRUE(framer.Fill(input, request));
  EXPECT_EQ(request.target, "/a%2Fb//c?x=%41+b");
  EXPECT_EQ(request.head, head);
  EXPECT_EQ(request.body, "{}");
}

}  // namespace
}  // namespace coffer::http
