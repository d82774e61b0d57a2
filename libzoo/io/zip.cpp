#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/inflate.h>
#include <libzoo/io/utf8.h>
#include <libzoo/io/zip.h>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace zoo::io {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint64_t kEndSize = 22, kLocatorSize = 20;

uint32_t checksum(std::span<const uint8_t> bytes) { return uint32_t(crc32_z(crc32_z(0, nullptr, 0), bytes.data(), bytes.size())); }

struct EndRecord {
  uint64_t entries = 0, size = 0, offset = 0;  // of the directory
};

// The end record lies at the end of the file, before a comment of up to 65535 bytes.
uint64_t find_end(std::span<const uint8_t> file, const std::string& where) {
  if (file.size() >= kEndSize) {
    const uint64_t first = file.size() - std::min<uint64_t>(file.size(), kEndSize + 0xFFFF);
    for (uint64_t at = file.size() - kEndSize + 1; at-- > first;) {
      if (file[at] != 'P' || file[at + 1] != 'K' || file[at + 2] != 5 || file[at + 3] != 6) continue;
      if (at + kEndSize + file[at + 20] + 256 * file[at + 21] == file.size()) return at;
    }
  }
  refuse(where, file.size(), "no end record of a zip archive; the file is cut or no zip", "copy the file again");
}

EndRecord read_end64(std::span<const uint8_t> file, uint64_t locator, const std::string& where, uint64_t& directory_end) {
  ByteReader r(file, where);
  r.seek(locator + 4);
  if (r.little<uint32_t>("a disk number") != 0) r.fail("archives over several disks are not supported");
  const auto offset = r.little<uint64_t>("the ZIP64 end record's offset");
  if (r.little<uint32_t>("the number of disks") > 1) r.fail("archives over several disks are not supported");
  r.seek(offset);
  if (r.little<uint32_t>("the ZIP64 end record") != kEnd64) r.fail("the ZIP64 end record is not where its locator says");
  if (r.little<uint64_t>("its size") < 44) r.fail("the ZIP64 end record is too short");
  r.take(4, "versions");
  if (r.little<uint32_t>("a disk number") != 0 || r.little<uint32_t>("a disk number") != 0)
    r.fail("archives over several disks are not supported");
  EndRecord end;
  const auto here = r.little<uint64_t>("the number of entries");
  end.entries = r.little<uint64_t>("the number of entries");
  end.size = r.little<uint64_t>("the directory's size");
  end.offset = r.little<uint64_t>("the directory's offset");
  if (here != end.entries) r.fail("archives over several disks are not supported");
  directory_end = offset;
  return end;
}

EndRecord read_end(std::span<const uint8_t> file, const std::string& where) {
  const uint64_t at = find_end(file, where);
  ByteReader r(file, where);
  r.seek(at + 4);
  const auto disk = r.little<uint16_t>("a disk number"), first_disk = r.little<uint16_t>("a disk number");
  const auto here = r.little<uint16_t>("the number of entries"), entries = r.little<uint16_t>("the number of entries");
  const auto size = r.little<uint32_t>("the directory's size"), offset = r.little<uint32_t>("the directory's offset");
  EndRecord end{entries, size, offset};
  uint64_t directory_end = at;
  ByteReader locator(file, where);
  if (at >= kLocatorSize) locator.seek(at - kLocatorSize);
  if (at >= kLocatorSize && locator.little<uint32_t>("a locator") == kLocator64) {
    end = read_end64(file, at - kLocatorSize, where, directory_end);
    const bool agree = (entries == 0xFFFF || entries == end.entries) && (size == 0xFFFFFFFF || size == end.size) &&
                       (offset == 0xFFFFFFFF || offset == end.offset);
    if (!agree) r.fail("the end record and the ZIP64 end record disagree");
  } else if (disk != 0 || first_disk != 0 || here != entries) {
    r.fail("archives over several disks are not supported");
  }
  if (end.offset > directory_end || end.size != directory_end - end.offset) {
    r.fail(fmt::format("the directory of {} bytes at {} does not end at {}, where its end record begins", end.size, end.offset,
                       directory_end));
  }
  return end;
}

// The ZIP64 extra field holds, in this order, those values whose short field is saturated.
void read_zip64_extra(std::span<const uint8_t> extra, ZipEntry& entry, const ByteReader& at) {
  uint64_t* wanted[] = {entry.size == 0xFFFFFFFF ? &entry.size : nullptr, entry.compressed == 0xFFFFFFFF ? &entry.compressed : nullptr,
                        entry.header == 0xFFFFFFFF ? &entry.header : nullptr};
  ByteReader r(extra, at.where());
  while (r.left() > 0) {
    const auto id = r.little<uint16_t>("an extra field's id");
    ByteReader field(r.take(r.little<uint16_t>("an extra field's size"), "an extra field"), at.where());
    if (id != 1) continue;
    for (uint64_t* value : wanted) {
      if (value) *value = field.little<uint64_t>("a ZIP64 size or offset");
    }
    return;
  }
}

}  // namespace

bool is_zip(std::span<const uint8_t> b) {
  return b.size() >= 4 && b[0] == 'P' && b[1] == 'K' && ((b[2] == 3 && b[3] == 4) || (b[2] == 5 && b[3] == 6));
}

ZipReader::ZipReader(Bytes file, std::string where) : file_(std::move(file)), where_(std::move(where)), budget_(file_.size(), where_) {
  read_directory();
}

void ZipReader::read_directory() {
  const EndRecord end = read_end(file_.view, where_);
  if (end.entries > end.size / 46)
    refuse(where_, end.offset, fmt::format("a directory of {} bytes cannot hold {} entries", end.size, end.entries));
  budget_.spend(end.entries * (sizeof(ZipEntry) + 64), "the archive's directory");
  entries_.reserve(end.entries);
  ByteReader directory(file_.view.subspan(end.offset, end.size), where_, end.offset);
  for (uint64_t i = 0; i < end.entries; ++i) read_entry(directory, end.offset);
  if (directory.left() > 0) directory.fail("the directory is longer than its entries");
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!by_name_.emplace(entries_[i].name, i).second)
      refuse(where_, end.offset, fmt::format("the archive holds '{}' twice", entries_[i].name));
    has_checksums_ = has_checksums_ || entries_[i].crc32 != 0;
  }
  check_local_headers(end.offset);
}

void ZipReader::read_entry(ByteReader& r, uint64_t directory_offset) {
  if (r.little<uint32_t>("a directory entry") != kCentralHeader) r.fail("a directory entry begins with PK 1 2");
  r.take(4, "versions");
  const auto flags = r.little<uint16_t>("flags"), method = r.little<uint16_t>("the method");
  r.take(4, "the time");
  ZipEntry entry;
  entry.crc32 = r.little<uint32_t>("the checksum");
  entry.compressed = r.little<uint32_t>("the compressed size");
  entry.size = r.little<uint32_t>("the size");
  const auto name_size = r.little<uint16_t>("the name's length"), extra_size = r.little<uint16_t>("the extra field's length");
  const auto comment_size = r.little<uint16_t>("the comment's length");
  r.take(8, "attributes");
  entry.header = r.little<uint32_t>("the offset");
  budget_.spend(name_size, "a member's name");
  entry.name = r.text(name_size, "a member's name");
  if (!is_utf8(entry.name) || entry.name.find('\0') != std::string::npos) r.fail("a member's name is not UTF-8");
  read_zip64_extra(r.take(extra_size, "an extra field"), entry, r);
  r.take(comment_size, "a comment");

  const auto fail = [&](std::string_view why) { r.fail(fmt::format("member '{}': {}", entry.name, why)); };
  if (flags & (1 << 0 | 1 << 6 | 1 << 13)) fail("encrypted members are not supported");
  if (method != 0 && method != 8) fail(fmt::format("compression method {} is not supported (0 stored, 8 deflate are)", method));
  entry.deflated = method == 8;
  if (!entry.deflated && entry.compressed != entry.size)
    fail(fmt::format("stored, but {} bytes in the archive for {}", entry.compressed, entry.size));
  if (entry.deflated && entry.size > most_inflated(entry.compressed)) {
    fail(fmt::format("{} compressed bytes cannot hold the {} that are claimed", entry.compressed, entry.size));
  }
  if (entry.header > directory_offset || entry.compressed > directory_offset - entry.header) fail("its data lies beyond the archive");
  entries_.push_back(std::move(entry));
}

void ZipReader::check_local_headers(uint64_t directory_offset) {
  std::vector<ZipEntry*> order;
  for (auto& entry : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const ZipEntry* a, const ZipEntry* b) { return a->header < b->header; });
  uint64_t free = 0;  // the first byte that no member has taken
  for (ZipEntry* entry : order) {
    ByteReader r(file_.view.first(directory_offset), where_);
    r.seek(entry->header);
    if (entry->header < free) r.fail(fmt::format("member '{}' overlaps the one before", entry->name));
    if (r.little<uint32_t>("a local header") != kLocalHeader) r.fail(fmt::format("member '{}' has no local header", entry->name));
    r.take(22, "a local header");
    const auto name_size = r.little<uint16_t>("the name's length"), extra_size = r.little<uint16_t>("the extra field's length");
    if (r.text(name_size, "a member's name") != entry->name)
      r.fail(fmt::format("member '{}' has another name in its local header", entry->name));
    r.take(extra_size, "an extra field");
    entry->data = r.position();
    r.take(entry->compressed, fmt::format("member '{}'", entry->name));
    free = r.position();
  }
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

Bytes ZipReader::read(const ZipEntry& entry) {
  const auto data = file_.view.subspan(entry.data, entry.compressed);
  const std::string where = fmt::format("{}: {}", where_, entry.name);
  const auto check = [&](uint32_t crc) {
    if (has_checksums_ && crc != entry.crc32) {
      throw UserError(fmt::format("{}: checksum {:08x}, the archive says {:08x}", where, crc, entry.crc32),
                      "the file is damaged: copy it again");
    }
  };
  if (!entry.deflated) {
    check(checksum(data));
    return {data, file_.owner};
  }
  const auto check_size = [&](const Inflated& result) {
    if (!result.ended || result.produced != entry.size)
      throw UserError(fmt::format("{}: more or less than the {} bytes claimed", where, entry.size));
    if (result.consumed != data.size())
      throw UserError(fmt::format("{}: {} bytes after the compressed data", where, data.size() - result.consumed));
  };
  if (budget_.allows(entry.size)) {
    budget_.spend(entry.size, entry.name);
  } else {
    uint32_t crc = 0;
    check_size(measure_inflated(data, entry.size, Framing::raw_deflate, where, &crc));
    check(crc);
  }
  Writable memory(entry.size);
  check_size(inflate_into(data, memory.bytes, Framing::raw_deflate, where));
  check(checksum(memory.bytes));
  return std::move(memory).freeze();
}

}  // namespace zoo::io
