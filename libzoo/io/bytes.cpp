#include <libzoo/core/error.h>
#include <libzoo/io/bytes.h>

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

Bytes map_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) throw UserError(fmt::format("{}: {}", path.string(), std::strerror(errno)));
  struct stat status{};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    throw UserError(fmt::format("{}: not a regular file", path.string()));
  }
  const size_t size = size_t(status.st_size);
  if (size == 0) {
    ::close(file);
    return {};
  }
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
  const int reason = errno;
  ::close(file);
  if (address == MAP_FAILED) throw UserError(fmt::format("{}: cannot map {} bytes: {}", path.string(), size, std::strerror(reason)));
  std::shared_ptr<const void> owner(address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  return {{static_cast<const uint8_t*>(address), size}, owner};
}

}  // namespace zoo::io
