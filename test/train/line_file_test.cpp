#include "test/catch.h"
#include "test/process.h"

#include <libzoo/core/error.h>
#include <libzoo/train/line_file.h>

#include <sys/resource.h>

using namespace zoo::test;

using zoo::train::LineFile;

namespace {

// Files can't grow beyond `bytes` while this lives, as on a full disk (EFBIG in place of ENOSPC).
struct FileSizeLimit {
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

}  // namespace

TEST_CASE("Lines that a full disk does not take are written later, and no part of a line is left meanwhile", "[train]") {
  TemporaryFolder folder;
  const auto path = folder.path() / "lines";
  LineFile file(path);
  {
    FileSizeLimit limit(10);
    file.append("12345");
    REQUIRE(file.flush());
    file.append("67890");
    REQUIRE_FALSE(file.flush());
    REQUIRE_THAT(file.failure(), Contains("File too large"));
    REQUIRE(read_text(path) == "12345\n");
    file.append("ab");
    REQUIRE_FALSE(file.sync());
    REQUIRE(file.size() == 6);
  }
  REQUIRE(file.sync());
  REQUIRE(read_text(path) == "12345\n67890\nab\n");
}

TEST_CASE("A line that was cut short by a crash is removed when the file is opened", "[train]") {
  TemporaryFolder folder;
  const auto path = folder.path() / "lines";
  std::ofstream(path) << "whole\nhal";
  {
    LineFile file(path);
    REQUIRE(file.size() == 6);
    file.append("next");
  }
  REQUIRE(read_text(path) == "whole\nnext\n");

  std::ofstream(path) << std::string(200000, 'x');  // more than one block without a newline
  REQUIRE(LineFile(path).size() == 0);
  REQUIRE(read_text(path).empty());
}

TEST_CASE("A file is cut back to where a checkpoint saw it", "[train]") {
  TemporaryFolder folder;
  LineFile file(folder.path() / "lines");
  file.append("a");
  file.append("b");
  REQUIRE(file.flush());
  file.append("never written");
  file.truncate(2);
  REQUIRE(file.flush());
  REQUIRE(read_text(file.path()) == "a\n");
  REQUIRE_THROWS_WITH(file.truncate(3), Contains("has 2 bytes of whole lines, the checkpoint expects 3"));
}
