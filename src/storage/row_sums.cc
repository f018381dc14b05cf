// A commit's effect on the sums over authenticated rows. The start is in row_sums_start.cc.

#include "storage/row_sums.h"

#include <utility>

#include "coffer/base/secret_bytes.h"
#include "storage/table_sql.h"

namespace coffer::storage {
namespace {

constexpr std::size_t kSaltBytes = 16;

// The name of a key of the process, one for each table and purpose.
std::string UseOf(std::string_view purpose, std::string_view table) {
  return std::string(purpose).append(" ").append(table);
}

}  // namespace

CodedFields& CodedFields::Put(ByteView field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes_.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  bytes_.insert(bytes_.end(), field.begin(), field.end());
  return *this;
}

CodedFields& CodedFields::Put(std::int64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (56 - 8 * i));
  }
  return Put(ByteView(bytes));
}

void AddTo(Code256& sum, const Code256& term) {
  unsigned carry = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    carry += static_cast<unsigned>(sum[i]) + term[i];
    sum[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
}

void SubtractFrom(Code256& sum, const Code256& term) {
  int borrow = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    const int difference = static_cast<int>(sum[i]) - term[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    sum[i] = static_cast<std::uint8_t>(difference + (borrow != 0 ? 256 : 0));
  }
}

std::string SeenRows::NameOf(const TableShape& shape, std::span<const Value> key) {
  CodedFields fields(shape.table.name);
  for (const Value& value : key) {
    std::visit([&](const auto& field) { fields.Put(field); }, value);
  }
  return std::string(AsText(fields.View()));
}

std::int64_t& SeenRows::Entry(const std::string& row) {
  if (const auto found = recent_.find(row); found != recent_.end()) return found->second;
  if (recent_.size() >= kRemembered) {
    former_ = std::move(recent_);
    recent_.clear();
  }
  const auto known = former_.find(row);
  const std::int64_t newest = known == former_.end() ? 0 : known->second;
  return recent_.emplace(row, newest).first->second;
}

bool SeenRows::Admit(const std::string& row, std::int64_t generation, bool remember) {
  const std::lock_guard lock(mutex_);
  std::int64_t& newest = Entry(row);
  if (generation < newest) return false;
  if (remember) newest = generation;
  return true;
}

void SeenRows::Raise(const std::string& row, std::int64_t generation) {
  const std::lock_guard lock(mutex_);
  std::int64_t& newest = Entry(row);
  newest = std::max(newest, generation);
}

Status RowSums::CheckJoined() const {
  if (codes_ != nullptr) return {};
  return Fail(Code::kInternal, "database error", "rows cannot be authenticated yet");
}

Code256 RowSums::RowMac(const TableShape& shape, std::span<const Value> values,
                        std::int64_t generation) const {
  CodedFields fields("coffer-row-1");
  fields.Put(shape.table.name).Put(std::int64_t{shape.table.format}).Put(generation);
  for (std::size_t i = 0; i < values.size(); ++i) {
    fields.Put(shape.columns[i].name).Put(static_cast<std::int64_t>(values[i].index()));
    std::visit([&](const auto& value) { fields.Put(value); }, values[i]);
  }
  return codes_->Of(UseOf("row", shape.table.name), fields.View());
}

std::int64_t RowSums::NextGeneration(const TableShape& shape, int shard,
                                     std::int64_t former) const {
  return std::max(former, KnownGeneration({shape.table.name, shard})) + 1;
}

Code256 RowSums::TermOf(const TableShape& shape, ByteView mac) const {
  return codes_->Of(UseOf("term", shape.table.name), mac);
}

void RowSums::Count(const TableShape& shape, int shard, ByteView before, ByteView after) {
  Change& change = changes_[{shape.table.name, shard}];
  if (!before.empty()) {
    SubtractFrom(change.sum, TermOf(shape, before));
    --change.rows;
  }
  if (!after.empty()) {
    AddTo(change.sum, TermOf(shape, after));
    ++change.rows;
  }
}

void RowSums::CountSeen(const TableShape& shape, std::span<const Value> key,
                        std::int64_t generation) {
  touched_.emplace_back(SeenRows::NameOf(shape, key), generation);
}

void RowSums::RequestAnchor(std::uint64_t number, bool new_lineage) {
  anchor_wanted_ = number;
  new_lineage_ = new_lineage;
}

// A mask is never used twice: generations rise, and where a database was put back the salt differs.
Code256 RowSums::MaskOf(const Shard& shard, std::int64_t node, std::int64_t generation,
                        ByteView salt) const {
  CodedFields fields("coffer-sum-mask-1");
  fields.Put(node).Put(std::int64_t{shard.index}).Put(generation).Put(salt);
  return codes_->Of(UseOf("mask", shard.table), fields.View());
}

Code256 RowSums::SumMac(const Shard& shard, std::int64_t node, const SumRow& row, ByteView masked,
                        ByteView salt) const {
  CodedFields fields("coffer-sum-1");
  fields.Put(node).Put(shard.table).Put(std::int64_t{shard.index}).Put(row.generation);
  fields.Put(row.rows).Put(masked).Put(salt);
  return codes_->Of(UseOf("sum", shard.table), fields.View());
}

Result<RowSums::SumRow> RowSums::ReadSum(Connection& connection, const Shard& shard,
                                         bool own) const {
  COFFER_ASSIGN(Statement select,
                connection.Prepare("SELECT node, generation, row_count, sum, salt, mac "
                                   "FROM store_sums WHERE table_name = ? AND shard = ?"));
  select.Bind(0, shard.table).Bind(1, std::int64_t{shard.index});
  SumRow total;
  while (true) {
    COFFER_ASSIGN(const bool more, select.Step());
    if (!more) return total;
    const std::int64_t node = select.Int(0);
    const SumRow row{select.Int(1), select.Int(2), {}};
    const Bytes masked = select.Blob(3);
    const Bytes salt = select.Blob(4);
    if (masked.size() != total.sum.size() ||
        !ConstantTimeEqual(SumMac(shard, node, row, masked, salt), select.Blob(5))) {
      return Fail(Code::kCorrupt,
                  "the sum of the rows of " + shard.Text() + " failed its check: restore a backup");
    }
    if (own && node != kNode) continue;
    Code256 sum{};
    std::copy(masked.begin(), masked.end(), sum.begin());
    SubtractFrom(sum, MaskOf(shard, node, row.generation, salt));
    AddTo(total.sum, sum);
    total.rows += row.rows;
    if (node == kNode) total.generation = row.generation;
  }
}

Status RowSums::WriteSum(Connection& writer, const Shard& shard, const SumRow& row,
                         std::int64_t former) const {
  std::array<std::uint8_t, kSaltBytes> salt{};
  random_->Fill(salt);
  Code256 masked = row.sum;
  AddTo(masked, MaskOf(shard, kNode, row.generation, salt));
  const Code256 mac = SumMac(shard, kNode, row, masked, salt);
  COFFER_ASSIGN(
      Statement write,
      writer.Prepare("INSERT INTO store_sums (node, table_name, shard, generation, row_count, sum, "
                     "salt, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                     "ON CONFLICT (node, table_name, shard) DO UPDATE SET "
                     "generation = excluded.generation, row_count = excluded.row_count, "
                     "sum = excluded.sum, salt = excluded.salt, mac = excluded.mac "
                     "WHERE generation = ?"));
  write.Bind(0, kNode).Bind(1, shard.table).Bind(2, std::int64_t{shard.index});
  write.Bind(3, row.generation).Bind(4, row.rows).Bind(5, ByteView(masked));
  write.Bind(6, ByteView(salt)).Bind(7, ByteView(mac)).Bind(8, former);
  COFFER_ASSIGN(const std::int64_t changed, write.Run());
  if (changed == 1) return {};
  return Fail(Code::kCorrupt, "the sum of the rows of " + shard.Text() +
                                  " was changed beneath the server: restore a backup");
}

void RowSums::Begun() {
  changes_.clear();
  settled_.clear();
  touched_.clear();
  anchor_wanted_.reset();
  new_lineage_ = false;
  anchor_made_.reset();
}

Status RowSums::GuardNode(Connection& writer) const {
  COFFER_ASSIGN(Statement find, writer.Prepare("SELECT 1 FROM store_nodes "
                                               "WHERE node = ? AND incarnation = ?"));
  COFFER_ASSIGN(const bool found, find.Bind(0, kNode).Bind(1, incarnation_.View()).Step());
  if (found) return {};
  return Fail(Code::kCorrupt, "another server has taken this database over: stop one of them");
}

Status RowSums::WriteNode(Connection& writer) {
  incarnation_ = Id::Generate(*random_);
  COFFER_ASSIGN(Statement write,
                writer.Prepare("INSERT INTO store_nodes (node, incarnation) VALUES (?, ?) "
                               "ON CONFLICT (node) DO UPDATE SET "
                               "incarnation = excluded.incarnation"));
  COFFER_TRY(write.Bind(0, kNode).Bind(1, incarnation_.View()).Run());
  return {};
}

Status RowSums::SettleShard(Connection& writer, const Shard& shard, const Change& change) {
  if (!taken_over_.contains(std::string(shard.table))) {
    return Fail(Code::kInternal, "database error",
                std::string(shard.table) + " is not under an anchor yet");
  }
  {
    const std::lock_guard lock(mutex_);
    if (damaged_.contains(shard)) {
      return Fail(Code::kCorrupt, "changes to " + shard.Text() +
                                      " are refused: its rows were removed, changed or put back");
    }
  }
  const std::int64_t known = KnownGeneration(shard);
  COFFER_ASSIGN(SumRow row, ReadSum(writer, shard, true));
  if (row.generation != known) {
    return Fail(Code::kCorrupt, "the sum of the rows of " + shard.Text() +
                                    " was changed beneath the server: restore a backup");
  }
  ++row.generation;
  row.rows += change.rows;
  AddTo(row.sum, change.sum);
  COFFER_TRY(WriteSum(writer, shard, row, known));
  settled_[shard] = row.generation;
  return {};
}

Status RowSums::SettleAnchor(Connection& writer) {
  Anchor next;
  const auto former = [this] {
    const std::lock_guard lock(mutex_);
    return anchor_;
  }();
  next.number = std::max(*anchor_wanted_, former ? former->number + 1 : 1);
  // An operator who accepted damage has begun a new lineage: an anchor of the former one must not
  // bring back the rows that ended with it.
  const bool anew = new_lineage_ || !to_recount_.empty() || !to_remove_.empty();
  next.lineage = former && !anew ? former->lineage : Id::Generate(*random_);
  for (const TableShape* shape : tables_) {
    next.formats[std::string(shape->table.name)] = shape->table.format;
  }
  for (const Shard& shard : Shards()) {
    const auto now = settled_.find(shard);
    next.generations[shard] = now == settled_.end() ? KnownGeneration(shard) : now->second;
  }
  COFFER_TRY(WriteAnchor(writer, next));
  anchor_made_ = std::move(next);
  return {};
}

Status RowSums::Settle(Connection& writer) {
  if (changes_.empty() && !anchor_wanted_) return {};
  COFFER_TRY(CheckJoined());
  COFFER_TRY(Reread(writer));
  COFFER_TRY(entered_ ? GuardNode(writer) : WriteNode(writer));
  if (anchor_wanted_) {
    COFFER_TRY(RemoveUnsound(writer));
    for (const TableShape* shape : tables_) COFFER_TRY(TakeOver(writer, *shape));
    for (const Shard& shard : to_recount_) COFFER_TRY(Recount(writer, shard));
  }
  for (const auto& [shard, change] : changes_) {
    // A shard that was counted anew holds this transaction's rows already.
    if (!settled_.contains(shard)) COFFER_TRY(SettleShard(writer, shard, change));
  }
  return anchor_wanted_ ? SettleAnchor(writer) : Status{};
}

void RowSums::Committed() {
  for (const auto& [row, generation] : touched_) seen_.Raise(row, generation);
  const std::lock_guard lock(mutex_);
  for (const auto& [shard, generation] : settled_) generations_[shard] = generation;
  if (!settled_.empty() || anchor_made_) entered_ = true;
  if (!changes_.empty()) ++commits_;
  if (anchor_made_) {
    for (const auto& [table, format] : anchor_made_->formats) taken_over_.insert(table);
    to_recount_.clear();
    to_remove_.clear();
    anchor_ = std::move(anchor_made_);
    anchored_ = commits_;
  }
}

void RowSums::OutcomeUnknown() { reread_ = codes_ != nullptr; }

Status RowSums::Reread(Connection& writer) {
  return reread_ ? RereadGenerations(writer) : Status{};
}

std::int64_t RowSums::KnownGeneration(const Shard& shard) const {
  const std::lock_guard lock(mutex_);
  const auto found = generations_.find(shard);
  return found == generations_.end() ? 0 : found->second;
}

void RowSums::MarkDamaged(const Shard& shard) {
  const std::lock_guard lock(mutex_);
  damaged_.insert(shard);
}

std::vector<Shard> RowSums::Shards() const {
  std::vector<Shard> shards;
  for (const TableShape* shape : tables_) {
    for (int i = 0; i < shape->table.shards; ++i) shards.push_back({shape->table.name, i});
  }
  return shards;
}

std::vector<Shard> RowSums::Damaged() const {
  const std::lock_guard lock(mutex_);
  return {damaged_.begin(), damaged_.end()};
}

std::optional<std::uint64_t> RowSums::AnchorNumber() const {
  const std::lock_guard lock(mutex_);
  return anchor_ ? std::optional(anchor_->number) : std::nullopt;
}

Id RowSums::Lineage() const {
  const std::lock_guard lock(mutex_);
  return anchor_ ? anchor_->lineage : Id{};
}

std::vector<std::string> RowSums::Accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::uint64_t RowSums::Commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

std::uint64_t RowSums::InToken() const {
  const std::lock_guard lock(mutex_);
  return in_token_;
}

void RowSums::AnchorWritten() {
  const std::lock_guard lock(mutex_);
  in_token_ = anchored_;
}

}  // namespace coffer::storage
