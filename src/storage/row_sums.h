#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "coffer/storage/database.h"
#include "coffer/storage/row_authenticator.h"
#include "coffer/storage/table.h"
#include "storage/connection.h"

namespace coffer::storage {

// The number of this program among the nodes that write the database. Stored rows name their node,
// so that more nodes need no new format.
inline constexpr std::int64_t kNode = 1;

// The fields under a code: each is a 32-bit big-endian length and its bytes; integers are 8 bytes
// big-endian; the first names the schema, so no encoding is another's prefix.
class CodedFields {
 public:
  explicit CodedFields(std::string_view schema) { Put(AsBytes(schema)); }
  CodedFields& Put(ByteView field);
  CodedFields& Put(std::string_view field) { return Put(AsBytes(field)); }
  CodedFields& Put(std::int64_t value);
  CodedFields& Put(std::monostate) { return Put(ByteView()); }
  ByteView View() const { return bytes_; }

 private:
  Bytes bytes_;
};

void AddTo(Code256& sum, const Code256& term);
void SubtractFrom(Code256& sum, const Code256& term);

// The newest generation of each row that this process has read or written, for about the last
// million rows. A replay of a row that is no longer remembered is found by the check of its shard.
// Thread-safe.
class SeenRows {
 public:
  // True where a row of this generation may be the newest.
  bool Admit(const std::string& row, std::int64_t generation, bool remember);
  // From now on only this generation and later ones are admitted.
  void Raise(const std::string& row, std::int64_t generation);
  static std::string NameOf(const TableShape& shape, std::span<const Value> key);

 private:
  static constexpr std::size_t kRemembered = 1UL << 19;  // in each of the two maps
  using Newest = std::unordered_map<std::string, std::int64_t>;
  std::int64_t& Entry(const std::string& row);

  std::mutex mutex_;
  Newest recent_;  // guarded by mutex_
  Newest former_;  // guarded by mutex_
};

// The sums over the rows of authenticated tables and their anchors. Functions and members marked
// "the writer's" are used only while the writer lock is held; the others are thread-safe.
class RowSums {
 public:
  Status Join(Connection& writer, std::vector<const TableShape*> tables,
              const Authentication& authentication);
  Status CheckJoined() const;

  // A row's MAC, of the given generation.
  Code256 RowMac(const TableShape& shape, std::span<const Value> values,
                 std::int64_t generation) const;
  // The generation that a row written now gets. The writer's.
  std::int64_t NextGeneration(const TableShape& shape, int shard, std::int64_t former) const;

  // The change of a row in the open transaction: MACs before and after, empty where there is none.
  void Count(const TableShape& shape, int shard, ByteView before, ByteView after);
  // After the commit, a row with this key and an older generation counts as replayed.
  void CountSeen(const TableShape& shape, std::span<const Value> key, std::int64_t generation);
  void RequestAnchor(std::uint64_t number, bool new_lineage);
  // Writes the sums of the counted changes, and the anchor if RequestAnchor() was called. The
  // writer's.
  Status Settle(Connection& writer);
  void Begun();  // a transaction begins
  void Committed();
  void OutcomeUnknown();
  // Reads the sums and the anchor again if the outcome of a COMMIT is unknown. The writer's.
  Status Reread(Connection& writer);

  // Compares the shard's rows with its sum, in the snapshot of `connection`. `known`: the
  // generation that the shard had before the snapshot.
  Status Check(Connection& connection, const Shard& shard, std::int64_t known) const;
  std::int64_t KnownGeneration(const Shard& shard) const;
  void MarkDamaged(const Shard& shard);

  SeenRows& Seen() { return seen_; }
  std::vector<Shard> Shards() const;
  std::vector<Shard> Damaged() const;
  std::optional<std::uint64_t> AnchorNumber() const;
  Id Lineage() const;
  std::vector<std::string> Accepted() const;
  // The number of commits with changes, and the number of those that the token's anchor covers.
  std::uint64_t Commits() const;
  std::uint64_t InToken() const;
  void AnchorWritten();

 private:
  struct SumRow {
    std::int64_t generation = 0;
    std::int64_t rows = 0;
    Code256 sum{};
  };
  struct Change {
    std::int64_t rows = 0;
    Code256 sum{};
  };
  struct Anchor {
    std::uint64_t number = 0;
    Id lineage;
    std::map<Shard, std::int64_t> generations;
    std::map<std::string, int> formats;  // of the tables that it covers
  };

  const TableShape* ShapeOf(std::string_view table) const;
  Code256 TermOf(const TableShape& shape, ByteView mac) const;
  Code256 MaskOf(const Shard& shard, std::int64_t node, std::int64_t generation,
                 ByteView salt) const;
  Code256 SumMac(const Shard& shard, std::int64_t node, const SumRow& row, ByteView masked,
                 ByteView salt) const;
  // The shard's sum over all nodes, or this node's own part of it.
  Result<SumRow> ReadSum(Connection& connection, const Shard& shard, bool own) const;
  Status WriteSum(Connection& writer, const Shard& shard, const SumRow& row,
                  std::int64_t former) const;
  Result<SumRow> SumOfRows(Connection& connection, const Shard& shard) const;
  Result<std::optional<Anchor>> ReadAnchor(Connection& connection) const;
  Status WriteAnchor(Connection& writer, const Anchor& anchor) const;
  std::string EncodeGenerations(const Anchor& anchor) const;
  bool DecodeGenerations(const std::string& text, Anchor& anchor) const;
  Code256 AnchorMac(std::uint64_t number, const Id& lineage, std::string_view generations) const;

  Status CheckGenerations(Connection& writer);
  Status CheckWholeTables(Connection& writer);
  Status AcceptDamage(Connection& writer);
  Status FindUnsound(Connection& writer, const TableShape& shape);
  Status CheckEmpty(Connection& writer, const TableShape& shape) const;
  Status TakeOver(Connection& writer, const TableShape& shape);
  Status Recount(Connection& writer, const Shard& shard);
  Status RemoveUnsound(Connection& writer);
  Status RereadGenerations(Connection& writer);
  Status WriteNode(Connection& writer);
  Status GuardNode(Connection& writer) const;
  Status SettleShard(Connection& writer, const Shard& shard, const Change& change);
  Status SettleAnchor(Connection& writer);

  std::shared_ptr<const RowAuthenticator> codes_;  // constant once joined, as the next two
  Random* random_ = nullptr;
  std::vector<const TableShape*> tables_;
  SeenRows seen_;

  // The writer's.
  std::set<std::string> taken_over_;  // tables that the newest anchor covers
  std::set<Shard> to_recount_;
  std::vector<std::pair<const TableShape*, Values>> to_remove_;  // keys
  bool reread_ = false;                                          // a commit's outcome is unknown
  bool entered_ = false;  // the table of nodes has this process's incarnation
  Id incarnation_;

  // The open transaction's; the writer's.
  std::map<Shard, Change> changes_;
  std::map<Shard, std::int64_t> settled_;
  std::vector<std::pair<std::string, std::int64_t>> touched_;
  std::optional<std::uint64_t> anchor_wanted_;
  bool new_lineage_ = false;
  std::optional<Anchor> anchor_made_;

  mutable std::mutex mutex_;
  std::map<Shard, std::int64_t> generations_;  // of this node's sums; guarded by mutex_
  std::optional<Anchor> anchor_;               // guarded by mutex_
  std::set<Shard> damaged_;                    // guarded by mutex_
  std::vector<std::string> accepted_;          // guarded by mutex_
  std::uint64_t commits_ = 0;                  // with changes; guarded by mutex_
  std::uint64_t anchored_ = 0;                 // of them, by an anchor; guarded by mutex_
  std::uint64_t in_token_ = 0;  // of them, by an anchor in the token; guarded by mutex_
};

}  // namespace coffer::storage
