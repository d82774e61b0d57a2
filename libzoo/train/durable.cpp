#include <libzoo/train/durable.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <zlib.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace zoo::train {
namespace {

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : path_(path), number_(open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (number_ < 0) fail();
  }
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  [[noreturn]] void fail() const { throw Error(fmt::format("{}: {}", path_.string(), std::strerror(errno))); }
  void sync() const {
    if (fsync(number_) != 0 && errno != EINVAL && errno != EROFS) fail();  // some file systems can't sync a folder
  }

 private:
  std::filesystem::path path_;
  int number_;
};

}  // namespace

void sync(const std::filesystem::path& file_or_folder) { Descriptor(file_or_folder, O_RDONLY).sync(); }

uint32_t crc32_of_file(const std::filesystem::path& path) {
  Descriptor file(path, O_RDONLY);
  std::vector<unsigned char> block(1 << 20);
  uLong sum = ::crc32(0, nullptr, 0);
  while (true) {
    const ssize_t got = read(file.number(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) file.fail();
    if (got == 0) return uint32_t(sum);
    sum = ::crc32(sum, block.data(), uInt(got));
  }
}

}  // namespace zoo::train
