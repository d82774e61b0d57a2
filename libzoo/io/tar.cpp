#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/lost_pages.h>
#include <libzoo/io/tar.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace zoo::io {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint8_t kZeros[kBlock] = {};

// Of a ustar header: offset and length.
struct Field {
  size_t at, size;
  std::span<const uint8_t> of(std::span<const uint8_t> header) const { return header.subspan(at, size); }
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kMagic{257, 6}, kPrefix{345, 155};
constexpr size_t kType = 156;

uint64_t padded(uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

std::string_view as_text(std::span<const uint8_t> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Up to the first NUL, or the whole field.
std::string_view text(std::span<const uint8_t> field) {
  const auto whole = as_text(field);
  return whole.substr(0, whole.find('\0'));
}

std::string printable(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(result, [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

uint32_t checksum(std::span<const uint8_t> header) {
  const auto stored = kChecksum.of(header);
  const auto sum = [](std::span<const uint8_t> bytes) { return std::accumulate(bytes.begin(), bytes.end(), uint32_t(0)); };
  return sum(header) - sum(stored) + uint32_t(kChecksum.size * ' ');
}

// All of `text` as a decimal number.
std::optional<uint64_t> decimal(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

TarReader::TarReader(Bytes file, std::string where) : file_(std::move(file)), where_(std::move(where)), budget_(file_.size(), where_) {}

void TarReader::fail(std::string_view message, const std::string& hint) const {
  refuse(where_, header_at_, fmt::format("member {}: {}", members_, message), hint);
}

Bytes TarReader::payload(const TarMember& member) const {
  if (member.offset > file_.size() || member.size > file_.size() - member.offset)
    throw Error(fmt::format("{}: member '{}' is not of this archive", where_, member.name));
  const auto payload = file_.view.subspan(size_t(member.offset), size_t(member.size));
  require_pages(payload, where_);
  return {payload, file_.owner};
}

// Octal with spaces in front, ended by a space or NUL, or base-256 behind a first byte 0x80. Nothing for what is neither.
std::optional<uint64_t> TarReader::number(std::span<const uint8_t> field) const {
  uint64_t value = 0;
  if (field[0] >= 0x80) {
    if (field[0] != 0x80) return std::nullopt;  // 0xFF: negative
    for (uint8_t byte : field.subspan(1)) {
      if (value >> 56) return std::nullopt;
      value = value << 8 | byte;
    }
    return value;
  }
  auto digits = text(field);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  const auto end = digits.find(' ');
  if (end != std::string_view::npos && digits.find_first_not_of(' ', end) != std::string_view::npos) return std::nullopt;
  for (char digit : digits.substr(0, end)) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value << 3 | uint64_t(digit - '0');  // at most 12 digits
  }
  return value;
}

// The next header, its checksum right; nothing at the end of the archive.
std::optional<std::span<const uint8_t>> TarReader::take_header() {
  header_at_ = at_;
  const uint64_t left = file_.size() - std::min<uint64_t>(at_, file_.size());  // the padding of the last payload may be cut
  if (left == 0) return std::nullopt;
  if (left < kBlock) fail(fmt::format("the archive ends inside its header: {} bytes of {} are there", left, kBlock));
  const auto header = file_.view.subspan(size_t(at_), kBlock);
  if (std::ranges::equal(header, kZeros)) {
    require_pages(header, where_);
    return std::nullopt;
  }
  if (number(kChecksum.of(header)) != checksum(header))
    fail(fmt::format("the checksum of its header is wrong: '{}' is written, {:o} is right", printable(text(kChecksum.of(header))),
                     checksum(header)),
         members_ == 0 ? "is this a tar archive, and not a compressed one?" : "");
  at_ += kBlock;
  return header;
}

std::span<const uint8_t> TarReader::take_payload(uint64_t size) {
  const uint64_t left = file_.size() - at_;
  if (size > left) fail(fmt::format("the archive ends inside its payload: {} bytes of {} are there", left, size));
  const auto payload = file_.view.subspan(size_t(at_), size_t(size));
  at_ += padded(size);
  return payload;
}

// Records "length key=value\n"; the length counts itself.
void TarReader::apply_pax(std::span<const uint8_t> records, uint64_t offset, Overrides& overrides) const {
  auto left = as_text(records);
  while (!left.empty()) {
    const auto space = left.find(' ');
    const auto length = decimal(left.substr(0, std::min(space, left.size())));
    const auto refuse_record = [&](std::string_view why) {
      refuse(where_, offset + uint64_t(left.data() - as_text(records).data()), fmt::format("member {}: pax record: {}", members_, why));
    };
    if (space == std::string_view::npos || !length || *length <= space + 1 || *length > left.size() || left[size_t(*length) - 1] != '\n')
      refuse_record("its length is wrong");
    const auto record = left.substr(space + 1, size_t(*length) - space - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) refuse_record("it has no '='");
    const auto key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") {
      overrides.path = value.empty() ? std::nullopt : std::optional(value);
    } else if (key == "size") {
      overrides.size = decimal(value);
      if (!overrides.size && !value.empty()) refuse_record(fmt::format("'{}' is no size", value.substr(0, 40)));
    } else if (key.starts_with("GNU.sparse.")) {
      refuse_record("sparse members cannot be read");
    }
    left.remove_prefix(size_t(*length));
  }
}

TarMember TarReader::member(std::span<const uint8_t> header, const Overrides& overrides, std::optional<std::string_view> long_name) {
  TarMember result;
  result.type = header[kType] == 0 || header[kType] == '7' ? '0' : char(header[kType]);
  if (overrides.path) {
    result.name = *overrides.path;
  } else if (long_name) {
    result.name = *long_name;
  } else {
    result.name = text(kName.of(header));
    const auto prefix = text(kPrefix.of(header));
    if (as_text(kMagic.of(header)) == std::string_view("ustar\0", 6) && !prefix.empty()) result.name.insert(0, std::string(prefix) + "/");
  }
  budget_.spend(result.name.size(), "a name");  // one long name may stand for many members
  // Before ustar a directory was told by its name only.
  if (header[kType] == 0 && result.name.ends_with('/')) result.type = '5';
  if (result.type == '5') result.name.erase(result.name.find_last_not_of('/') + 1);
  if (result.type == 'S') fail("sparse members cannot be read", "write the archive without --sparse");

  const auto size = overrides.size ? overrides.size : number(kSize.of(header));
  if (!size) fail(fmt::format("'{}' is no size", printable(text(kSize.of(header)))));
  result.offset = at_;
  // Of the types POSIX lists only regular files have a payload; a type that is unknown is passed over with its payload.
  const bool has_payload = result.regular() || result.type < '1' || result.type > '6';
  if (has_payload) take_payload(*size);
  if (result.regular()) result.size = *size;
  return result;
}

std::optional<TarMember> TarReader::next() {
  Overrides own = global_;
  std::optional<std::string_view> long_name;
  bool announced = false;  // by a header that belongs to the member after it
  while (const auto header = take_header()) {
    const uint8_t type = (*header)[kType];
    if (type != 'L' && type != 'K' && type != 'x' && type != 'g') {
      auto result = member(*header, own, long_name);
      ++members_;
      return result;
    }
    const auto size = number(kSize.of(*header));
    if (!size) fail(fmt::format("'{}' is no size", printable(text(kSize.of(*header)))));
    const uint64_t offset = at_;
    const auto payload = take_payload(*size);
    if (type == 'L') long_name = text(payload);
    if (type == 'x') apply_pax(payload, offset, own);
    if (type == 'g') {
      // Defaults: they also hold for this member, where its own records say nothing.
      Overrides before = global_;
      apply_pax(payload, offset, global_);
      if (own.path == before.path) own.path = global_.path;
      if (own.size == before.size) own.size = global_.size;
    }
    announced = announced || type != 'g';
  }
  if (announced) fail("the archive ends after the header of a long name");
  return std::nullopt;
}

namespace {

constexpr uint64_t kLargestSize = 077777777777;  // 11 octal digits

void put(std::string& header, Field field, std::string_view value) { header.replace(field.at, value.size(), value); }

std::string block(std::string_view name, std::string_view prefix, uint64_t size, char type) {
  std::string header(kBlock, '\0');
  put(header, kName, name);
  put(header, kPrefix, prefix);
  put(header, {100, 8}, "0000644");
  put(header, {108, 8}, "0000000");
  put(header, {116, 8}, "0000000");
  put(header, kSize, fmt::format("{:011o}", size));
  put(header, {136, 12}, "00000000000");
  header[kType] = type;
  put(header, kMagic, std::string_view("ustar\00000", 8));
  const uint32_t sum = checksum(view_bytes(header));
  put(header, kChecksum, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

// "length key=value\n"
std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (length != rest + fmt::formatted_size("{}", length)) length = rest + fmt::formatted_size("{}", length);
  return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

std::string tar_header(std::string_view name, uint64_t size) {
  if (name.empty() || name.ends_with('/') || name.find('\0') != std::string_view::npos)
    throw Error(fmt::format("'{}' is no name for a member of a tar archive", printable(name)), "not empty, no NUL byte, no '/' at the end");
  // The last 100 bytes in the name, the rest before a '/' in the prefix.
  size_t slash = std::string_view::npos;
  if (name.size() > kName.size) {
    slash = name.find('/', name.size() - kName.size - 1);
    if (slash == 0 || slash > kPrefix.size) slash = std::string_view::npos;
  }
  const bool fits = name.size() <= kName.size || slash != std::string_view::npos;
  std::string records;
  if (!fits) records += pax_record("path", name);
  if (size > kLargestSize) records += pax_record("size", fmt::format("{}", size));
  std::string result;
  if (!records.empty()) {
    const size_t length = records.size();
    records.resize(padded(length));
    result = block("././@PaxHeader", "", length, 'x') + records;
  }
  const auto prefix = fits && slash != std::string_view::npos ? name.substr(0, slash) : std::string_view();
  const auto last = !fits ? name.substr(0, kName.size) : prefix.empty() ? name : name.substr(slash + 1);
  return result + block(last, prefix, size > kLargestSize ? 0 : size, '0');
}

void TarWriter::add(std::string_view name, std::span<const uint8_t> payload) {
  file_.write(tar_header(name, payload.size()));
  file_.write(payload);
  file_.write(std::span(kZeros).first(size_t(padded(payload.size()) - payload.size())));
}

void TarWriter::commit() {
  file_.write(kZeros);
  file_.write(kZeros);
  file_.commit();
}

}  // namespace zoo::io
