#include <libzoo/core/error.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/lost_pages.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace zoo::io {
Bytes Bytes::own(std::vector<uint8_t> bytes) {
  auto kept = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  return {*kept, kept};
}

namespace {

struct RegularFile {
  int handle = -1;
  size_t size = 0;

  explicit RegularFile(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a pipe must not wait for a writer.
    handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0) throw UserError(fmt::format("{}: {}", path.string(), std::strerror(errno)));
    struct stat status{};
    if (::fstat(handle, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(handle);
      throw UserError(fmt::format("{}: not a regular file", path.string()));
    }
    size = size_t(status.st_size);
  }
  ~RegularFile() { ::close(handle); }
  RegularFile(const RegularFile&) = delete;
};

}  // namespace

void read_file(const std::filesystem::path& path, std::vector<uint8_t>& bytes) {
  const RegularFile file(path);
  bytes.resize(file.size);
  size_t have = 0;
  while (have < file.size) {
    const ssize_t count = ::read(file.handle, bytes.data() + have, file.size - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw UserError(fmt::format("{}: {}", path.string(), std::strerror(errno)));
    if (count == 0) break;  // it became shorter
    have += size_t(count);
  }
  bytes.resize(have);
}

Bytes map_file(const std::filesystem::path& path) {
  const RegularFile file(path);
  const size_t size = file.size;
  if (size == 0) return {};
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.handle, 0);
  const int reason = errno;
  if (address == MAP_FAILED) throw UserError(fmt::format("{}: cannot map {} bytes: {}", path.string(), size, std::strerror(reason)));
  const std::span mapping(static_cast<const uint8_t*>(address), size);
  return {mapping, std::make_shared<const WatchedMapping>(mapping)};
}

void advise(std::span<const uint8_t> mapped, Access access) {
  if (mapped.empty()) return;
  static const auto page = uintptr_t(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(mapped.data()) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(mapped.data()) + mapped.size();
  const int advice = access == Access::random ? MADV_RANDOM : access == Access::sequential ? MADV_SEQUENTIAL : MADV_NORMAL;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);  // a hint: memory that is no mapped file is left as it is
}

}  // namespace zoo::io
