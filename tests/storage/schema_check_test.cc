#include <gtest/gtest.h>
#include <sqlite3.h>

#include "storage/database_fixture.h"

namespace coffer::storage {
namespace {

class SchemaCheckTest : public DatabaseFixture {
 protected:
  void Edit(const std::string& sql) const {
    ::sqlite3* other = nullptr;
    ASSERT_EQ(::sqlite3_open(File().c_str(), &other), SQLITE_OK);
    ::sqlite3_busy_timeout(other, 5000);
    char* why = nullptr;
    ASSERT_EQ(::sqlite3_exec(other, sql.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    ::sqlite3_close(other);
  }
};

constexpr char kTrigger[] =
    "CREATE TRIGGER planted AFTER INSERT ON item BEGIN UPDATE item SET value = x'00'; END";

TEST_F(SchemaCheckTest, WhatNoMigrationMadeRefusesTheStart) {
  for (const auto& [plant, named] : std::initializer_list<std::pair<const char*, const char*>>{
           {kTrigger, "trigger planted"},
           {"CREATE VIEW planted AS SELECT * FROM item", "view planted"},
           {"CREATE INDEX planted ON item (value)", "index planted"},
           {"CREATE TABLE planted (x)", "table planted"},
           {"ALTER TABLE item ADD COLUMN planted TEXT", "table item"},
           {"DROP TABLE item", "no table item"}}) {
    std::filesystem::remove(File());
    ASSERT_TRUE(TryOpen());
    Edit(plant);
    const auto opened = TryOpen();
    ASSERT_FALSE(opened) << plant;
    EXPECT_EQ(opened.error().code, Code::kCorrupt);
    EXPECT_NE(opened.error().message.find(named), std::string::npos) << opened.error().message;
  }
}

TEST_F(SchemaCheckTest, ATriggerPlantedBesideARunningServerStopsItsChanges) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one", Bytes{1}));
  Edit(kTrigger);
  const Status put = Put(*database, 2, "two", Bytes{2});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kCorrupt);
  EXPECT_FALSE(database->CheckSchema());
  auto reader = database->Read();
  ASSERT_TRUE(reader);
  EXPECT_EQ(Number(*reader, "SELECT hex(value) FROM item WHERE id = 1"), 1);
}

TEST_F(SchemaCheckTest, TheSchemaOfTheMigrationsPasses) {
  const auto database = Open();
  EXPECT_TRUE(database->CheckSchema());
}

}  // namespace
}  // namespace coffer::storage
