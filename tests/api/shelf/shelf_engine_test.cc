// A further engine needs no more than its registration: routes, help, mounts, policies, the trail,
// the documents and the end of a mount come from that.

#include "api/shelf/shelf_engine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/engine_type.h"
#include "api/service_fixture.h"
#include "coffer/api/reference.h"

namespace coffer::api {
namespace {

using http::Method;

class KeptSink final : public audit::Sink {
 public:
  Status Record(const audit::Entry& entry) override {
    if (entry.type == audit::Entry::Type::kRequest) {
      entries.push_back(std::string(entry.operation) + " " + std::string(entry.path) + " " +
                        std::string(entry.mount.type) + " " + std::string(entry.mount.point));
    }
    return {};
  }
  std::vector<std::string> entries;
};

class ShelfEngineTest : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return trail_; }
  std::vector<Registration> MoreEngines() override { return {ShelfEngine(shelves_)}; }
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_EQ(Post("sys/mounts/team/shelf", {{"type", "shelf"}}).status, 204);
  }
  Shelves shelves_;
  KeptSink trail_;
};

TEST_F(ShelfEngineTest, KeepsReadsListsAndDeletes) {
  EXPECT_EQ(Post("team/shelf/notes/a", {{"text", "hello"}}).status, 204);
  EXPECT_EQ(Post("team/shelf/notes/b", {{"text", "bye"}}).status, 204);
  const auto read = Get("team/shelf/notes/a");
  EXPECT_EQ(DataOf(read), json({{"text", "hello"}})) << read.body;
  EXPECT_EQ(json::parse(read.body)["mount_type"], "shelf");
  EXPECT_EQ(DataOf(Send(Method::kList, "team/shelf/notes"))["keys"], json({"a", "b"}));
  EXPECT_EQ(Send(Method::kDelete, "team/shelf/notes/a").status, 204);
  EXPECT_EQ(Get("team/shelf/notes/a").status, 404);
  EXPECT_EQ(Get("team/shelf/keys").status, 404);  // another engine's path
}

TEST_F(ShelfEngineTest, TheEndOfAMountTakesItsNotesAndNoOthers) {
  ASSERT_EQ(Post("sys/mounts/other", {{"type", "shelf"}}).status, 204);
  const Id ended = mounts_->Find("team/shelf/notes")->mount->id;
  Post("team/shelf/notes/a", {{"text", "hello"}});
  Post("other/notes/a", {{"text", "stays"}});
  EXPECT_EQ(Send(Method::kDelete, "sys/mounts/team/shelf").status, 204);
  EXPECT_TRUE(shelves_.Names(ended).empty());
  EXPECT_EQ(Get("team/shelf/notes/a").status, 404);
  EXPECT_EQ(DataOf(Get("other/notes/a"))["text"], "stays");
  ASSERT_EQ(Post("sys/mounts/team/shelf", {{"type", "shelf"}}).status, 204);
  EXPECT_EQ(Get("team/shelf/notes/a").status, 404);
}

TEST_F(ShelfEngineTest, IsShownTunedAndMovedAsAnyOther) {
  EXPECT_EQ(DataOf(Get("sys/mounts"))["team/shelf/"]["type"], "shelf");
  EXPECT_EQ(DataOf(Get("sys/internal/ui/mounts"))["secret"]["team/shelf/"]["type"], "shelf");
  EXPECT_EQ(Post("sys/mounts/team/shelf/tune", {{"description", "d"}}).status, 204);
  Post("team/shelf/notes/a", {{"text", "hello"}});
  EXPECT_EQ(Post("sys/remount", {{"from", "team/shelf"}, {"to", "moved"}}).status, 200);
  EXPECT_EQ(DataOf(Get("moved/notes/a"))["text"], "hello");
  const auto versioned = Post("sys/mounts/x", {{"type", "shelf"}, {"options", {{"version", "2"}}}});
  EXPECT_EQ(ErrorOf(versioned), "secrets engine \"shelf\" does not allow setting a version");
}

TEST_F(ShelfEngineTest, IsInHelpInTheDocumentsAndInTheTrail) {
  EXPECT_NE(Get("team/shelf/notes/a?help=1").body.find("A note."), std::string::npos);
  EXPECT_NE(Get("team/shelf?help=1").body.find("notes/:name"), std::string::npos);
  const json paths = json::parse(Get("sys/internal/specs/openapi").body)["paths"];
  EXPECT_TRUE(paths["/{shelf_mount_path}/notes/{name}"].contains("post"));
  EXPECT_NE(ApiReference(*registry_).find("### `shelf/notes/:name`"), std::string::npos);
  trail_.entries.clear();
  Post("team/shelf/notes/a", {{"text", "hello"}});
  Post("team/shelf/notes/a", {{"text", "again"}});
  EXPECT_EQ(trail_.entries,
            (std::vector<std::string>{"create team/shelf/notes/a shelf team/shelf/",
                                      "update team/shelf/notes/a shelf team/shelf/"}));
}

TEST_F(ShelfEngineTest, OneThatIsNotRegisteredCannotBeMountedAndItsMountAnswersNothing) {
  EXPECT_EQ(ErrorOf(Post("sys/mounts/x", {{"type", "rack"}})),
            "plugin not found in the catalog: rack");
  // This mount stands for one that a later version of the program made.
  ASSERT_TRUE(mounts_->Add(mounts::MountPath::Parse("later").value(), "rack", {}));
  EXPECT_EQ(Get("later/notes/a").status, 404);
  EXPECT_EQ(Send(Method::kDelete, "sys/mounts/later").status, 400);
  EXPECT_EQ(DataOf(Get("sys/mounts"))["later/"]["type"], "rack");
}

TEST(Registry, RefusesTwoEnginesOfOneNameOrPath) {
  Shelves shelves;
  EXPECT_TRUE(Registry::Make({ShelfEngine(shelves)}));
  EXPECT_FALSE(Registry::Make({ShelfEngine(shelves), ShelfEngine(shelves)}));
  EngineType other = ShelfEngineType();
  other.name = "rack";
  const auto refused = Registry::Make({ShelfEngine(shelves), {&other, {}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, "engine rack cannot be registered: its path is another one's");
  other.path = "rack/";
  EXPECT_TRUE(Registry::Make({ShelfEngine(shelves), {&other, {}}}));
  other.name = "shelf";
  other.place = MountPlace::kAuth;  // an auth method may share an engine's name
  EXPECT_TRUE(Registry::Make({ShelfEngine(shelves), {&other, {}}}));
}

}  // namespace
}  // namespace coffer::api
