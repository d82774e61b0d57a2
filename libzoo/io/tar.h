// tar archives: POSIX ustar and pax, GNU long names and base-256 numbers. Payloads are views of the archive.
//
//   TarReader tar(map_file(path), path);
//   while (auto member = tar.next()) if (member->regular()) use(member->name, tar.payload(*member).view);
#pragma once

#include <libzoo/io/atomic_file.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/memory_budget.h>

#include <optional>
#include <string>
#include <string_view>

namespace zoo::io {

struct TarMember {
  std::string name;      // as written, bytes; a directory's without the trailing '/'
  char type = '0';       // '0' regular (also written NUL and 7), '1' and '2' links, '5' directory, …
  uint64_t size = 0;     // bytes of the payload; 0 unless regular
  uint64_t offset = 0;   // of the byte after the header in the archive: the payload of a regular member

  bool regular() const { return type == '0'; }
};

// Members in the archive's order; long names and pax headers are applied, not listed.
class TarReader {
 public:
  TarReader(Bytes file, std::string where);

  // Nothing at the end: two zero blocks, one, or the end of the file at a block boundary. Throws UserError "<where>: byte N:
  // member K: …" on a wrong checksum, number, pax record, or a cut header or payload, and on sparse members, whose payload
  // is not the file's contents.
  std::optional<TarMember> next();

  // A view of the archive. Throws UserError if the file has lost these bytes since it was mapped.
  Bytes payload(const TarMember& member) const;

 private:
  // What pax records say; an empty value takes a record back.
  struct Overrides {
    std::optional<std::string_view> path;
    std::optional<uint64_t> size;
  };

  std::optional<std::span<const uint8_t>> take_header();
  std::span<const uint8_t> take_payload(uint64_t size);
  void apply_pax(std::span<const uint8_t> records, uint64_t offset, Overrides& overrides) const;
  std::optional<uint64_t> number(std::span<const uint8_t> field) const;
  TarMember member(std::span<const uint8_t> header, const Overrides& overrides, std::optional<std::string_view> long_name);
  [[noreturn]] void fail(std::string_view message, const std::string& hint = {}) const;

  Bytes file_;
  std::string where_;
  MemoryBudget budget_;
  Overrides global_;
  uint64_t at_ = 0, header_at_ = 0;
  int64_t members_ = 0;
};

// Writes regular members, one after another, to an archive that appears, or replaces another, as a whole: ustar, with a pax
// header where a name or size does not fit. Owner 0, mode 0644, time 0, so equal members give equal archives.
class TarWriter {
 public:
  // Members throw Error with the file's name and the system's reason.
  explicit TarWriter(const std::filesystem::path& target) : file_(target) {}

  // A name is not empty, has no NUL byte and does not end in '/'.
  void add(std::string_view name, std::span<const uint8_t> payload);
  uint64_t size() const { return file_.size(); }  // bytes so far
  void commit();                                  // call once, last; without it nothing is left behind

 private:
  AtomicFile file_;
};

// The blocks that announce a regular member: its header, behind a pax header if one is needed. Throws Error for names that
// TarWriter::add refuses.
std::string tar_header(std::string_view name, uint64_t size);

}  // namespace zoo::io
