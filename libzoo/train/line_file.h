// Lines appended to a file whose disk may fill up. What can't be written stays in memory and is tried again with the
// next flush; a line that was written in part is cut off, so that the file always holds whole lines.
//
//   LineFile file(directory / "metrics.jsonl");
//   file.append(line);  if (!file.flush()) warn(file.failure());
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace zoo::train {

class LineFile {
 public:
  // Opens or makes the file and cuts off an unfinished last line. Throws Error.
  explicit LineFile(std::filesystem::path path);
  ~LineFile();  // flushes
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void append(std::string_view line);  // without the newline
  bool flush();                        // hands everything to the system; false: see failure()
  bool sync();                         // flush, and onto the disk
  void truncate(int64_t bytes);        // also forgets what is not written yet. Throws Error if the file is shorter

  int64_t size() const { return size_; }                  // bytes in the file
  const std::string& failure() const { return failure_; }  // the system's reason for the last false
  const std::filesystem::path& path() const { return path_; }

 private:
  bool fail(int error);

  std::filesystem::path path_;
  int file_ = -1;
  int64_t size_ = 0;
  std::string waiting_;
  std::string failure_;
};

}  // namespace zoo::train
