#include "test/catch.h"
#include "test/io/records.h"

#include <libzoo/core/error.h>
#include <libzoo/io/lost_pages.h>
#include <libzoo/io/tar.h>
#include <libzoo/io/tfrecord.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

using namespace zoo;
using namespace zoo::test;

namespace {

constexpr size_t kRecord = 100'000;

// Ten records of `kRecord` bytes.
std::filesystem::path records(const TemporaryFolder& folder) {
  io::TfRecordWriter writer(folder / "r");
  for (int i = 0; i < 10; ++i) writer.write(std::string(kRecord, char('a' + i)));
  writer.commit();
  return folder / "r";
}

}  // namespace

TEST_CASE("Bytes that a mapped file has lost read as zeros and are remembered", "[io]") {
  TemporaryFolder folder;
  write_text(folder / "a", std::string(100'000, 'a'));
  write_text(folder / "b", std::string(100'000, 'b'));
  const auto a = io::map_file(folder / "a"), b = io::map_file(folder / "b");
  std::filesystem::resize_file(folder / "a", 10'000);
  REQUIRE(a.view[9'999] == 'a');
  REQUIRE(!io::lost_pages(a.view));
  REQUIRE(a.view[99'999] == 0);
  REQUIRE(io::lost_pages(a.view));
  REQUIRE(io::lost_pages(a.view.subspan(50'000, 1)));
  REQUIRE_THROWS_WITH(io::require_pages(a.view, "a"), Contains("a: the file has become shorter"));
  REQUIRE(!io::lost_pages(b.view));
  REQUIRE_NOTHROW(io::require_pages(b.view, "b"));
}

TEST_CASE("A TFRecord file that is cut while it is read gives errors for the lost records only", "[io]") {
  TemporaryFolder folder;
  const auto path = records(folder);
  const io::TfRecordFile checked(path), unchecked(path, false);
  io::TfRecordReader reader(io::map_file(path), "r");
  for (int i = 0; i < 3; ++i) REQUIRE(reader.next());
  std::filesystem::resize_file(path, 5 * (kRecord + 16) + 50'000);
  for (int64_t i = 0; i < 10; ++i) {
    if (i < 5) {
      REQUIRE(checked.record(i).size() == kRecord);
      REQUIRE(unchecked.record(i).view[kRecord - 1] == 'a' + i);
    } else {
      REQUIRE_THROWS_WITH(checked.record(i), Contains("r: the file has become shorter"));
      REQUIRE_THROWS_WITH(unchecked.record(i), Contains("r: the file has become shorter"));
    }
  }
  REQUIRE((reader.next() && reader.next()));
  REQUIRE_THROWS_WITH(reader.next(), Contains("has become shorter"));
}

TEST_CASE("A tar archive that is cut while it is read does not end early", "[io]") {
  TemporaryFolder folder;
  io::TarWriter writer(folder / "t");
  const std::string payload(50'000, 'p');
  for (const char* name : {"a", "b", "c"}) writer.add(name, io::view_bytes(payload));
  writer.commit();
  io::TarReader tar(io::map_file(folder / "t"), "t");
  const auto first = tar.next();
  std::filesystem::resize_file(folder / "t", 20'000);
  REQUIRE_THROWS_WITH(tar.payload(*first), Contains("t: the file has become shorter"));
  REQUIRE_THROWS_WITH(tar.next(), Contains("t: the file has become shorter"));
}

TEST_CASE("Mappings come and go in many threads, and each lost one is told", "[io]") {
  TemporaryFolder folder;
  std::vector<int> told(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < told.size(); ++t) {
    threads.emplace_back([&, t] {
      const auto path = folder / std::to_string(t);
      for (int round = 0; round < 50; ++round) {
        write_text(path, std::string(40'000, 'x'));
        const auto file = io::map_file(path);
        if (round % 2) std::filesystem::resize_file(path, 100);
        uint64_t sum = 0;
        for (uint8_t byte : file.view) sum += byte;
        told[t] += io::lost_pages(file.view) == (round % 2 == 1) && (sum == 40'000 * 'x') == (round % 2 == 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(told == std::vector<int>(4, 50));
}

TEST_CASE("Bus errors elsewhere still end the process", "[io]") {
  TemporaryFolder folder;
  write_text(folder / "a", std::string(10'000, 'a'));
  const auto watched = io::map_file(folder / "a");
  const pid_t child = fork();
  if (child == 0) {
    // A mapping that nobody watches; without Catch2's report of the signal.
    FILE* file = tmpfile();
    if (ftruncate(fileno(file), 4096) != 0) _exit(0);
    auto* bytes = static_cast<volatile char*>(mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, fileno(file), 0));
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    static_cast<void>(bytes[8000]);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    REQUIRE(WTERMSIG(status) == SIGBUS);
  else
    REQUIRE(WEXITSTATUS(status) != 0);  // a sanitizer reports the signal and exits
}
