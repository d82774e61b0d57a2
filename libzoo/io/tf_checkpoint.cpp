#include <libzoo/io/tf_checkpoint.h>

#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/lost_pages.h>
#include <libzoo/io/memory_budget.h>
#include <libzoo/io/proto.h>

#include <fmt/format.h>

#include <functional>
#include <optional>

namespace zoo::io {
namespace {

// The table is that of LevelDB: blocks of entries whose keys share prefixes, a byte for the compression and a checksum behind each
// block, a block of handles of blocks, and a footer.
constexpr uint64_t kFooter = 48, kBlockTrailer = 5, kMagic = 0xdb4775248b80fb57;
constexpr size_t kLongestKey = 4096;

uint64_t varint(ByteReader& reader, std::string_view what) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = reader.byte(what);
    value |= uint64_t(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  reader.fail(fmt::format("{} has more than 10 bytes", what));
}

struct Handle {
  uint64_t offset = 0, size = 0;
};

Handle handle(ByteReader& reader) {
  Handle handle;
  handle.offset = varint(reader, "the offset of a block");
  handle.size = varint(reader, "the size of a block");
  return handle;
}

class Table {
 public:
  Table(const Bytes& file, const std::string& name) : file_(file), name_(name), budget_(file.size(), name) {}

  // Calls receive(key, value) for each entry of the table, in order.
  void each(const std::function<void(const std::string&, std::span<const uint8_t>)>& receive) {
    if (file_.size() < kFooter)
      throw UserError(fmt::format("{}: {} bytes are too few for the index of a TensorFlow checkpoint", name_, file_.size()));
    ByteReader footer(file_.view.last(kFooter), name_, file_.size() - kFooter);
    footer.seek(kFooter - 8);
    if (footer.little<uint64_t>("the magic number") != kMagic)
      throw UserError(fmt::format("{}: not the index of a TensorFlow checkpoint, or cut short (no magic number at its end)", name_));
    footer.seek(0);
    handle(footer);  // of metadata, which such files leave empty
    entries(handle(footer), [&](const std::string&, std::span<const uint8_t> value) {
      ByteReader reader(value, name_);
      entries(handle(reader), receive);
    });
  }

 private:
  std::span<const uint8_t> block(const Handle& at) const {
    ByteReader reader(file_.view, name_);
    reader.seek(at.offset);
    if (at.size > reader.left() || reader.left() - at.size < kBlockTrailer)
      refuse(name_, at.offset, fmt::format("a block of {} bytes reaches beyond the end", at.size));
    const auto contents = reader.take(at.size, "a block");
    const uint8_t compression = reader.byte("the type of a block");
    const uint32_t stored = reader.little<uint32_t>("the checksum of a block");
    if (stored != mask_crc(crc32c(file_.view.subspan(size_t(at.offset), size_t(at.size) + 1)))) {
      require_pages(contents, name_);
      refuse(name_, at.offset, "the checksum of a block of the index is wrong");
    }
    if (compression != 0)
      refuse(name_, at.offset, fmt::format("a block is compressed (type {}), which TensorFlow does not do", compression));
    return contents;
  }

  template <class Receive>
  void entries(const Handle& at, const Receive& receive) {
    const auto contents = block(at);
    if (contents.size() < 4) refuse(name_, at.offset, "a block is too short");
    ByteReader tail(contents, name_, at.offset);
    tail.seek(contents.size() - 4);
    const uint64_t restarts = 4 * uint64_t(tail.little<uint32_t>("the number of restarts"));
    if (restarts > contents.size() - 4) refuse(name_, at.offset, "a block has more restarts than bytes");
    ByteReader reader(contents.first(contents.size() - 4 - size_t(restarts)), name_, at.offset);
    std::string key;
    while (reader.left() > 0) {
      const uint64_t shared = varint(reader, "a key"), more = varint(reader, "a key"), size = varint(reader, "a value");
      if (shared > key.size()) reader.fail(fmt::format("a key shares {} bytes with one of {}", shared, key.size()));
      if (more > kLongestKey || shared + more > kLongestKey) reader.fail(fmt::format("a key has {} bytes", shared + more));
      key.resize(size_t(shared));
      key += reader.text(more, "a key");
      budget_.spend(key.size() + 200, "a name");
      receive(key, reader.take(size, "a value"));
    }
  }

  const Bytes& file_;
  const std::string& name_;
  MemoryBudget budget_;
};

struct Entry {
  uint64_t type = 0, shard = 0, offset = 0, size = 0;
  std::vector<int64_t> shape;
  std::optional<uint32_t> checksum;
  bool sliced = false;
};

void add_dimension(std::vector<int64_t>& shape, std::span<const uint8_t> message, const std::string& where) {
  int64_t size = 0;
  ProtoReader reader(message, where, 2);
  while (const auto field = reader.next())
    if (field->number == 1 && field->type == WireType::varint) size = int64_t(field->value);
  if (size < 0) throw UserError(fmt::format("{}: a side of {}", where, size));
  if (shape.size() == 64) throw UserError(fmt::format("{}: more than 64 dimensions", where));
  shape.push_back(size);
}

Entry parse_entry(std::span<const uint8_t> message, const std::string& where) {
  Entry entry;
  ProtoReader reader(message, where);
  while (const auto field = reader.next()) {
    const bool number = field->type == WireType::varint;
    if (field->number == 1 && number) entry.type = field->value;
    if (field->number == 3 && number) entry.shard = field->value;
    if (field->number == 4 && number) entry.offset = field->value;
    if (field->number == 5 && number) entry.size = field->value;
    if (field->number == 6 && field->type == WireType::fixed32) entry.checksum = uint32_t(field->value);
    if (field->number == 7) entry.sliced = true;
    if (field->number != 2 || field->type != WireType::bytes) continue;
    ProtoReader shape(field->bytes, where, 1);
    while (const auto part = shape.next())
      if (part->number == 2 && part->type == WireType::bytes) add_dimension(entry.shape, part->bytes, where);
  }
  return entry;
}

DType dtype_of_entry(uint64_t type, const std::string& where) {
  switch (type) {
    case 1: return DType::f32;
    case 2: return DType::f64;
    case 3: return DType::i32;
    case 4: return DType::u8;
    case 9: return DType::i64;
    case 10: return DType::boolean;
    default:
      throw UserError(fmt::format("{}: values of TensorFlow's type {} are not read", where, type),
                      "save the variables with TensorFlow 1's Saver, which stores numbers only");
  }
}

void check_header(std::span<const uint8_t> message, const std::string& where) {
  ProtoReader reader(message, where);
  while (const auto field = reader.next()) {
    if (field->type != WireType::varint) continue;
    if (field->number == 1 && field->value != 1)
      throw UserError(fmt::format("{}: the checkpoint is spread over {} data files", where, field->value),
                      "merge them: save the checkpoint again in a single shard");
    if (field->number == 2 && field->value != 0) throw UserError(fmt::format("{}: the checkpoint is big-endian", where));
  }
}

Array tensor_of(const Entry& entry, const Bytes& data, const std::string& where) {
  if (entry.sliced) throw UserError(fmt::format("{}: saved in slices, which are not read", where), "save it without partitioned variables");
  if (entry.shard != 0) throw UserError(fmt::format("{}: lies in data file {}, only one is read", where, entry.shard));
  const DType type = dtype_of_entry(entry.type, where);
  int64_t values = 0;
  try {
    values = count(entry.shape, item_size(type));
  } catch (const Error& error) {
    throw UserError(fmt::format("{}: {}", where, error.what()));
  }
  if (uint64_t(values) * item_size(type) != entry.size)
    throw UserError(fmt::format("{}: {} values of {} bytes are said to take {} bytes", where, values, item_size(type), entry.size));
  if (entry.offset > data.size() || entry.size > data.size() - entry.offset)
    throw UserError(
        fmt::format("{}: bytes {} to {} of a file of {}: it has been cut", where, entry.offset, entry.offset + entry.size, data.size()),
        "copy the data file again");
  const auto bytes = data.view.subspan(size_t(entry.offset), size_t(entry.size));
  if (!entry.checksum) throw UserError(fmt::format("{}: the index holds no checksum of it", where));
  if (*entry.checksum != mask_crc(crc32c(bytes))) {
    require_pages(bytes, where);
    throw UserError(fmt::format("{}: the checksum of its values is wrong", where), "the data file is damaged, or is that of another index");
  }
  if (!data.owner) {
    Array copy(type, entry.shape);
    if (!bytes.empty()) std::memcpy(copy.mutable_data(), bytes.data(), bytes.size());
    return copy;
  }
  return Array(type, entry.shape, bytes.data(), data.owner);
}

}  // namespace

Arrays read_tf_checkpoint(const Bytes& index, const std::string& index_name, const Bytes& data, const std::string& data_name) {
  Arrays tensors;
  bool header = false;
  Table(index, index_name).each([&](const std::string& key, std::span<const uint8_t> value) {
    if (key.empty()) {
      check_header(value, index_name);
      header = true;
      return;
    }
    const Entry entry = parse_entry(value, fmt::format("{}: {}", index_name, key));
    if (!tensors.emplace(key, tensor_of(entry, data, fmt::format("{}: {}", data_name, key))).second)
      throw UserError(fmt::format("{}: {} appears twice", index_name, key));
  });
  if (!header) throw UserError(fmt::format("{}: the index has no header", index_name));
  return tensors;
}

Arrays read_tf_checkpoint(const std::filesystem::path& path) {
  std::string prefix = path.string();
  if (prefix.ends_with(".index")) prefix.resize(prefix.size() - 6);
  const std::string index = prefix + ".index", data = prefix + ".data-00000-of-00001";
  return read_tf_checkpoint(map_file(index), index, map_file(data), data);
}

}  // namespace zoo::io
