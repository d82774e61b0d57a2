#include <libzoo/train/line_file.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace zoo::train {
namespace {

// Bytes up to and with the last newline.
int64_t whole_lines(int file, int64_t size) {
  std::vector<char> block(1 << 16);
  while (size > 0) {
    const int64_t start = std::max<int64_t>(0, size - int64_t(block.size()));
    const ssize_t got = pread(file, block.data(), size_t(size - start), start);
    if (got <= 0) return size;
    for (ssize_t i = got; i > 0; --i) {
      if (block[size_t(i - 1)] == '\n') return start + i;
    }
    size = start;
  }
  return 0;
}

}  // namespace

LineFile::LineFile(std::filesystem::path path) : path_(std::move(path)) {
  file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  struct stat facts{};
  if (file_ < 0 || fstat(file_, &facts) != 0) throw Error(fmt::format("{}: {}", path_.string(), std::strerror(errno)));
  size_ = whole_lines(file_, facts.st_size);
  if (size_ != facts.st_size && ftruncate(file_, size_) != 0) {
    throw Error(fmt::format("{}: can't cut off an unfinished line: {}", path_.string(), std::strerror(errno)));
  }
}

LineFile::~LineFile() {
  flush();
  close(file_);
}

void LineFile::append(std::string_view line) {
  waiting_ += line;
  waiting_ += '\n';
}

bool LineFile::flush() {
  int64_t end = size_;
  const char* from = waiting_.data();
  size_t left = waiting_.size();
  while (left > 0) {
    const ssize_t wrote = pwrite(file_, from, left, end);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return fail(wrote < 0 ? errno : ENOSPC);
    from += wrote;
    left -= size_t(wrote);
    end += wrote;
  }
  waiting_.clear();
  size_ = end;
  return true;
}

bool LineFile::sync() {
  if (!flush()) return false;
  return fsync(file_) == 0 || fail(errno);
}

void LineFile::truncate(int64_t bytes) {
  waiting_.clear();
  if (bytes > size_) {
    throw Error(fmt::format("{} has {} bytes of whole lines, the checkpoint expects {}", path_.string(), size_, bytes),
                "the file was changed after the run; put it back, or start anew with --overwrite");
  }
  if (ftruncate(file_, bytes) != 0) throw Error(fmt::format("{}: {}", path_.string(), std::strerror(errno)));
  size_ = bytes;
}

bool LineFile::fail(int error) {
  failure_ = std::strerror(error);
  if (ftruncate(file_, size_) != 0) failure_ += fmt::format(" (and can't cut off the unfinished line: {})", std::strerror(errno));
  return false;
}

}  // namespace zoo::train
