#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/gzip.h>
#include <libzoo/io/lost_pages.h>
#include <libzoo/io/tfrecord.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace zoo::io {
namespace {

constexpr uint64_t kHeader = 12, kFooter = 4;
constexpr uint64_t kTrusted = 1 << 20;  // bytes that are allocated before any of a compressed record was seen

template <class T>
T little(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

[[noreturn]] void refuse_record(const std::string& where, uint64_t offset, int64_t record, std::string_view message) {
  refuse(where, offset, fmt::format("record {}: {}", record, message));
}

// The length in a header whose checksum is right.
uint64_t length_of(const uint8_t* header, const std::string& where, uint64_t offset, int64_t record) {
  if (little<uint32_t>(header + 8) != mask_crc(crc32c(std::span(header, 8)))) {
    const bool lost = lost_pages(std::span(header, kHeader));
    refuse_record(where, offset, record, lost ? "the file has become shorter while it was read" : "the checksum of its length is wrong");
  }
  return little<uint64_t>(header);
}

void check_payload(std::span<const uint8_t> payload, uint32_t stored, const std::string& where, uint64_t offset, int64_t record) {
  if (stored == mask_crc(crc32c(payload))) return;
  require_pages(payload, where);
  refuse_record(where, offset, record, "the checksum of its data is wrong");
}

std::string cut_message(std::string_view what, uint64_t wanted, uint64_t left) {
  return fmt::format("the file ends inside its {}: {} bytes of {} are there", what, left, wanted);
}

}  // namespace

Compression compression_named(std::string_view name) {
  if (name.empty()) return Compression::none;
  if (name == "GZIP") return Compression::gzip;
  if (name == "ZLIB") return Compression::zlib;
  throw UserError(fmt::format("compression '{}' is unknown", name), "\"\", GZIP or ZLIB");
}

std::array<uint8_t, 12> tfrecord_header(uint64_t length) {
  std::array<uint8_t, 12> header;
  std::memcpy(header.data(), &length, 8);
  const uint32_t crc = mask_crc(crc32c(std::span<const uint8_t>(header).first(8)));
  std::memcpy(header.data() + 8, &crc, 4);
  return header;
}

std::array<uint8_t, 4> tfrecord_footer(std::span<const uint8_t> payload) {
  return std::bit_cast<std::array<uint8_t, 4>>(mask_crc(crc32c(payload)));
}

// The contents of a compressed file: all members of gzip, the one stream of zlib.
class TfRecordReader::Decompressed {
 public:
  Decompressed(std::span<const uint8_t> in, Framing framing, std::string where) : rest_(in), framing_(framing), where_(std::move(where)) {}

  // Less than out.size() only where the file ends.
  size_t read(std::span<uint8_t> out) {
    size_t got = 0;
    while (got < out.size() && open()) {
      got += stream_->read(out.subspan(got));
      if (stream_->ended()) close();
    }
    return got;
  }

 private:
  bool open() {
    if (stream_) return true;
    if (rest_.empty()) return false;
    if (!first_ && (framing_ == Framing::zlib || !is_gzip(rest_)))
      refuse(where_, at_, fmt::format("{} bytes after the end of the compressed data", rest_.size()));
    first_ = false;
    stream_ = std::make_unique<InflateStream>(rest_, framing_, where_);
    return true;
  }

  void close() {
    at_ += stream_->consumed();
    rest_ = rest_.subspan(size_t(stream_->consumed()));
    stream_.reset();
  }

  std::span<const uint8_t> rest_;
  Framing framing_;
  std::string where_;
  std::unique_ptr<InflateStream> stream_;
  uint64_t at_ = 0;
  bool first_ = true;
};

TfRecordReader::TfRecordReader(Bytes file, std::string where, TfRecordOptions options)
    : file_(std::move(file)), where_(std::move(where)), options_(options) {
  if (options.compression == Compression::none) return;
  const Framing framing = options.compression == Compression::gzip ? Framing::gzip : Framing::zlib;
  stream_ = std::make_unique<Decompressed>(file_.view, framing, where_ + ": compressed");
}

TfRecordReader::~TfRecordReader() = default;
TfRecordReader::TfRecordReader(TfRecordReader&&) noexcept = default;

std::optional<Bytes> TfRecordReader::next() {
  if (ended_) return std::nullopt;
  ended_ = true;  // also after an error
  std::optional<Bytes> record;
  try {
    record = stream_ ? read_compressed() : read_plain();
  } catch (const UserError&) {
    if (!options_.stop_on_error) throw;
  }
  ended_ = !record;
  return record;
}

std::optional<Bytes> TfRecordReader::cut(std::string_view what, uint64_t wanted, uint64_t left) const {
  if (options_.still_written) return std::nullopt;
  refuse_record(where_, offset_, records_, cut_message(what, wanted, left));
}

void TfRecordReader::finish_record(std::span<const uint8_t> payload, uint32_t stored_crc) {
  if (options_.verify_crc)
    check_payload(payload, stored_crc, where_, offset_, records_);
  else
    require_pages(payload, where_);
  offset_ += kHeader + payload.size() + kFooter;
  ++records_;
}

std::optional<Bytes> TfRecordReader::read_plain() {
  const auto left = file_.view.subspan(size_t(offset_));
  if (left.empty()) return std::nullopt;
  if (left.size() < kHeader) return cut("header", kHeader, left.size());
  const uint64_t length = length_of(left.data(), where_, offset_, records_), there = left.size() - kHeader;
  if (there < kFooter || length > there - kFooter) return cut("data", length, there);
  const auto payload = left.subspan(kHeader, size_t(length));
  finish_record(payload, little<uint32_t>(left.data() + kHeader + length));
  return Bytes{payload, file_.owner};
}

std::optional<Bytes> TfRecordReader::read_compressed() {
  uint8_t header[kHeader], footer[kFooter];
  const size_t got = stream_->read(header);
  if (got == 0) return std::nullopt;
  if (got < kHeader) return cut("header", kHeader, got);
  const uint64_t length = length_of(header, where_, offset_, records_);
  if (length > most_inflated(file_.size())) return cut("data", length, most_inflated(file_.size()));
  // Memory follows what has really come out, so that a length costs nothing by itself.
  Writable memory(std::min(length, kTrusted));
  uint64_t filled = 0;
  while (true) {
    filled += stream_->read(memory.bytes.subspan(size_t(filled)));
    if (filled < memory.bytes.size()) return cut("data", length, filled);
    if (filled == length) break;
    Writable larger(std::min(length, 2 * filled));
    std::copy_n(memory.bytes.begin(), filled, larger.bytes.begin());
    memory = std::move(larger);
  }
  const size_t footer_got = stream_->read(footer);
  if (footer_got < kFooter) return cut("checksum", kFooter, footer_got);
  finish_record(memory.bytes, little<uint32_t>(footer));
  return std::move(memory).freeze();
}

TfRecordFile::TfRecordFile(const std::filesystem::path& path, bool verify_crc) : TfRecordFile(map_file(path), path.string(), verify_crc) {}

TfRecordFile::TfRecordFile(Bytes file, std::string where, bool verify_crc)
    : file_(std::move(file)), where_(std::move(where)), verify_crc_(verify_crc) {
  advise(file_.view, Access::random);
  scan();
  advise(file_.view, Access::normal);
}

void TfRecordFile::scan() {
  for (uint64_t at = 0; at < file_.size();) {
    const uint64_t left = file_.size() - at;
    const int64_t record = size();
    if (left < kHeader) refuse_record(where_, at, record, cut_message("header", kHeader, left));
    const uint64_t length = length_of(file_.data() + at, where_, at, record), there = left - kHeader;
    if (there < kFooter || length > there - kFooter) refuse_record(where_, at, record, cut_message("data", length, there));
    offsets_.push_back(at);
    at += kHeader + length + kFooter;
  }
}

uint64_t TfRecordFile::offset(int64_t i) const {
  if (i < 0 || i >= size()) throw Error(fmt::format("{}: record {} is not there: it has {}", where_, i, size()));
  return offsets_[size_t(i)];
}

uint64_t TfRecordFile::length(int64_t i) const {
  const uint64_t begin = offset(i), end = i + 1 < size() ? offsets_[size_t(i + 1)] : file_.size();
  return end - begin - kHeader - kFooter;
}

Bytes TfRecordFile::record(int64_t i) const {
  const uint64_t at = offset(i);
  const auto payload = file_.view.subspan(size_t(at + kHeader), size_t(length(i)));
  if (verify_crc_)
    check_payload(payload, little<uint32_t>(payload.data() + payload.size()), where_, at, i);
  else
    require_pages(payload, where_);
  return {payload, file_.owner};
}

TfRecordWriter::TfRecordWriter(const std::filesystem::path& target, Compression compression) : file_(target) {
  if (compression == Compression::none) return;
  deflate_.emplace(compression == Compression::gzip ? Framing::gzip : Framing::zlib,
                   [this](std::span<const uint8_t> bytes) { file_.write(bytes); });
}

void TfRecordWriter::put(std::span<const uint8_t> bytes) {
  if (deflate_)
    deflate_->write(bytes);
  else
    file_.write(bytes);
}

void TfRecordWriter::write(std::span<const uint8_t> payload) {
  put(tfrecord_header(payload.size()));
  put(payload);
  put(tfrecord_footer(payload));
  ++records_;
}

void TfRecordWriter::commit() {
  if (deflate_) deflate_->finish();
  file_.commit();
}

}  // namespace zoo::io
