// TFRecord files: a record is u64 length, masked CRC-32C of these 8 bytes, payload, masked CRC-32C of the payload. The whole
// file may be compressed with gzip or zlib; that is told by the options, never guessed.
//
//   TfRecordReader reader(map_file(path), path);                          TfRecordFile file("train.tfrecord");   // by number
//   while (auto record = reader.next()) use(record->view);                use(file.record(17).view);
#pragma once

#include <libzoo/io/atomic_file.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/deflate.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoo::io {

enum class Compression { none, gzip, zlib };
Compression compression_named(std::string_view name);  // "", "GZIP", "ZLIB", as TensorFlow writes it; else UserError

struct TfRecordOptions {
  Compression compression = Compression::none;
  bool verify_crc = true;       // of payloads; the checksum of a length guards the allocation and is always verified
  bool stop_on_error = false;   // the file ends before its first bad record, instead of an error
  bool still_written = false;   // an incomplete last record ends the file quietly, as in TensorBoard's event files
};

// Records in file order. Throws UserError "<where>: byte N: record K: …" on wrong checksums, on a file that ends inside a
// record, on damaged compression and on bytes after its end; N counts decompressed bytes.
class TfRecordReader {
 public:
  TfRecordReader(Bytes file, std::string where, TfRecordOptions options = {});
  ~TfRecordReader();
  TfRecordReader(TfRecordReader&&) noexcept;

  // A view of a plain file, else memory of its own. Nothing after the last one.
  std::optional<Bytes> next();

  int64_t records() const { return records_; }  // given out so far
  uint64_t offset() const { return offset_; }   // where the next record begins

 private:
  class Decompressed;
  std::optional<Bytes> read_plain();
  std::optional<Bytes> read_compressed();
  std::optional<Bytes> cut(std::string_view what, uint64_t wanted, uint64_t left) const;
  void finish_record(std::span<const uint8_t> payload, uint32_t stored_crc);

  Bytes file_;
  std::string where_;
  TfRecordOptions options_;
  std::unique_ptr<Decompressed> stream_;
  uint64_t offset_ = 0;
  int64_t records_ = 0;
  bool ended_ = false;
};

// A plain file whose records are reached by number. Opening it reads and checks every record's length, not the payloads.
// Any thread may call the const members.
class TfRecordFile {
 public:
  // Throws UserError as the reader does.
  explicit TfRecordFile(const std::filesystem::path& path, bool verify_crc = true);
  TfRecordFile(Bytes file, std::string where, bool verify_crc = true);

  int64_t size() const { return int64_t(offsets_.size()); }  // records
  // A view of record i. Throws UserError if its checksum is wrong, Error unless 0 <= i < size().
  Bytes record(int64_t i) const;
  uint64_t length(int64_t i) const;                  // bytes of record i
  uint64_t offset(int64_t i) const;                  // where its header begins in the file
  const std::string& where() const { return where_; }

 private:
  void scan();

  Bytes file_;
  std::string where_;
  bool verify_crc_;
  std::vector<uint64_t> offsets_;
};

// Writes records to a file that appears, or replaces another, as a whole. Members throw Error with the file's name and the
// system's reason.
class TfRecordWriter {
 public:
  explicit TfRecordWriter(const std::filesystem::path& target, Compression compression = Compression::none);

  void write(std::span<const uint8_t> payload);
  void write(std::string_view payload) { write(view_bytes(payload)); }
  int64_t records() const { return records_; }
  void commit();  // call once, last; without it nothing is left behind

 private:
  void put(std::span<const uint8_t> bytes);

  AtomicFile file_;
  std::optional<DeflateStream> deflate_;
  int64_t records_ = 0;
};

// What stands before and after a payload.
std::array<uint8_t, 12> tfrecord_header(uint64_t length);
std::array<uint8_t, 4> tfrecord_footer(std::span<const uint8_t> payload);

}  // namespace zoo::io
