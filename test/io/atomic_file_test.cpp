#include "test/catch.h"
#include "test/io/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/atomic_file.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("A file is replaced as a whole", "[io]") {
  TemporaryFolder folder;
  io::write_file(folder / "a", "old");
  {
    io::AtomicFile file(folder / "a");
    file.write("new");
    REQUIRE(read_text(folder / "a") == "old");
    file.commit();
  }
  REQUIRE(read_text(folder / "a") == "new");
  REQUIRE(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("What was not committed leaves nothing behind", "[io]") {
  TemporaryFolder folder;
  io::write_file(folder / "a", "old");
  try {
    io::AtomicFile file(folder / "a");
    file.write("half");
    throw Error("in between");
  } catch (const Error&) {
  }
  REQUIRE(read_text(folder / "a") == "old");
  REQUIRE(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("A write that fails names the file and the reason and keeps the old file", "[io]") {
  TemporaryFolder folder;
  io::write_file(folder / "a", "old");
  // A limit on the size of files stands for a full disk.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    io::write_file(folder / "a", std::string(5000, 'x'));
  } catch (const Error& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  REQUIRE_THAT(message, Contains((folder / "a").string()) && Contains("cannot write at byte 1000") && Contains("File too large"));
  REQUIRE(read_text(folder / "a") == "old");
  REQUIRE(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("Targets that cannot be written are named", "[io]") {
  TemporaryFolder folder;
  REQUIRE_THROWS_WITH(io::write_file(folder / "no/a", "x"), Contains("no/a") && Contains("No such file or directory"));
  std::filesystem::create_directories(folder / "d/e");
  REQUIRE_THROWS_WITH(io::write_file(folder / "d", "x"), Contains("cannot put the new file in place"));
  REQUIRE(folder.names() == std::vector<std::string>{"d"});
}

TEST_CASE("Only regular files are mapped", "[io]") {
  TemporaryFolder folder;
  mkfifo((folder / "pipe").c_str(), 0600);
  REQUIRE_THROWS_WITH(io::map_file(folder / "pipe"), Contains("not a regular file"));
  REQUIRE_THROWS_WITH(io::map_file(folder.path()), Contains("not a regular file"));
  REQUIRE_THROWS_WITH(io::map_file(folder / "missing"), Contains("No such file or directory"));
  io::write_file(folder / "empty", "");
  REQUIRE(io::map_file(folder / "empty").size() == 0);
}
