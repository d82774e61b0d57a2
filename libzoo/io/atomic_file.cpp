#include <libzoo/core/error.h>
#include <libzoo/io/atomic_file.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace zoo::io {
namespace {

constexpr size_t kBuffer = 1 << 16;  // bytes

std::filesystem::path folder_of(const std::filesystem::path& target) {
  return target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
}

std::string reason_hint(int reason) {
  if (reason == ENOSPC || reason == EDQUOT) return "free some space and try again; the old file, if there was one, is unchanged";
  if (reason == ENOENT) return "create the folder first";
  return {};
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  static std::atomic<uint64_t> counter{0};
  const auto name = fmt::format(".{}.tmp-{}-{}", target_.filename().string(), ::getpid(), counter++);
  temporary_ = folder_of(target_) / name;
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file_ < 0) fail("cannot create a file beside it", errno);
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(std::string_view doing, int reason) const {
  throw Error(fmt::format("{}: {}: {}", target_.string(), doing, std::strerror(reason)), reason_hint(reason));
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
  size_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBuffer) flush();
  if (bytes.size() > kBuffer) return put(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void AtomicFile::flush() {
  put(buffer_);
  buffer_.clear();
}

void AtomicFile::put(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_, bytes.data(), std::min(bytes.size(), size_t(1) << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(fmt::format("cannot write at byte {}", written_), errno);
    written_ += uint64_t(n);
    bytes = bytes.subspan(size_t(n));
  }
}

void AtomicFile::commit(bool sync) {
  flush();
  if (sync && ::fsync(file_) != 0) fail("cannot sync", errno);
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0) fail("cannot close", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot put the new file in place", errno);
  temporary_.clear();
  if (!sync) return;
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    // Some file systems cannot sync a folder (EINVAL); the rename itself has succeeded.
    const bool synced = ::fsync(folder) == 0 || errno == EINVAL;
    const int reason = errno;
    ::close(folder);
    if (!synced) fail("cannot sync the folder", reason);
  }
}

void write_file(const std::filesystem::path& target, std::span<const uint8_t> contents) {
  AtomicFile file(target);
  file.write(contents);
  file.commit();
}

void write_file(const std::filesystem::path& target, std::string_view contents) {
  write_file(target, {reinterpret_cast<const uint8_t*>(contents.data()), contents.size()});
}

}  // namespace zoo::io
