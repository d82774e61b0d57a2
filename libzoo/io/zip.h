// zip archives (PKWARE APPNOTE) through their central directory: stored and deflated members, ZIP64, data descriptors.
// No encryption, no other methods, no several disks; duplicate names and overlapping members are damage.
//
//   ZipReader zip(map_file(path), path);
//   for (const auto& entry : zip.entries()) use(entry.name, zip.read(entry));
#pragma once

#include <libzoo/io/bytes.h>
#include <libzoo/io/memory_budget.h>

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zoo::io {

bool is_zip(std::span<const uint8_t> bytes);  // begins with a local header or an empty archive's end record

struct ZipEntry {
  std::string name;               // UTF-8
  uint64_t compressed = 0, size = 0;  // bytes in the archive, bytes of the member
  uint64_t header = 0, data = 0;  // offsets of the local header and of the data
  uint32_t crc32 = 0;
  bool deflated = false;
};

class ZipReader {
 public:
  // Reads and checks the directory and every local header. Throws UserError.
  ZipReader(Bytes file, std::string where);
  ZipReader(ZipReader&&) = default;

  const std::vector<ZipEntry>& entries() const { return entries_; }  // in the directory's order
  const ZipEntry* find(std::string_view name) const;                 // null if there is none

  // The member, its checksum verified: a view of the archive if it is stored, else decompressed. A member that claims more
  // than the memory budget is decompressed once without keeping anything before memory is taken.
  // An archive whose checksums are all zero was written without them (torch.save can), and none is verified.
  Bytes read(const ZipEntry& entry);

  MemoryBudget& budget() { return budget_; }

 private:
  void read_directory();
  void read_entry(class ByteReader& directory, uint64_t directory_offset);
  void check_local_headers(uint64_t directory_offset);

  Bytes file_;
  std::string where_;
  MemoryBudget budget_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> by_name_;
  bool has_checksums_ = false;
};

struct ZipOptions {
  uint64_t alignment = 64;   // of each member's data in the archive; a power of two
  bool force_zip64 = false;  // write ZIP64 fields also where the short ones would do
};

// Writes a zip of stored members, byte after byte, to `sink`.
class ZipWriter {
 public:
  using Sink = std::function<void(std::span<const uint8_t>)>;
  explicit ZipWriter(Sink sink, ZipOptions options = {}) : sink_(std::move(sink)), options_(options) {}

  // The member is the pieces, one after another. Throws Error for a name of more than 65535 bytes.
  void add(const std::string& name, const std::vector<std::span<const uint8_t>>& pieces);
  void add(const std::string& name, std::string_view text);
  // The directory. Call once, last.
  void finish();

 private:
  void put(const std::string& bytes);

  Sink sink_;
  ZipOptions options_;
  uint64_t offset_ = 0, entries_ = 0;
  std::string directory_;
};

}  // namespace zoo::io
