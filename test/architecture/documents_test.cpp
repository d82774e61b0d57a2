#include "test/architecture/documents.h"
#include "test/files.h"
#include "test/catch.h"

using namespace zoo::architecture;
using namespace zoo::test;
using namespace zoo::test;

TEST_CASE("every link and path in README.md and docs leads somewhere", "[docs]") {
  REQUIRE(std::filesystem::exists(std::filesystem::path(ZOO_SOURCE_DIR) / "README.md"));
  std::string report;
  for (const auto& line : dead_ends(ZOO_SOURCE_DIR)) report += line + "\n";
  INFO(report);
  CHECK(report.empty());
}

TEST_CASE("anchors of headings are GitHub's", "[docs]") {
  CHECK(anchor_of("## What's there: `a b`") == "whats-there-a-b");
  CHECK(anchor_of("# 1. The house") == "1-the-house");
}

TEST_CASE("the check of documents sees dead links, headings and paths, with file and line", "[docs]") {
  TemporaryFolder tree;
  write_text(tree / "test/run.sh", "");
  write_text(tree / "libzoo/bit/bit.h", "");
  write_text(tree / "docs/install.md", "# Install\n\n## By hand\nBack to the [start](../README.md#Title).\n");
  write_text(tree / "README.md",
             "# Title\n"
             "[install](docs/install.md) [by hand](docs/install.md#by-hand) [web](https://example.org/no) `libzoo/bit/bit.h`\n"
             "`bash test/run.sh`, `libzoo/*/gone.h`, `build/release/bin/x`, `bit/demo`, `#include <libzoo/bit/bit.h>` `[a](b)`\n"
             "```\nbash ./test/run.sh --flag # [not a](link)\n```\n");
  CHECK(dead_ends(tree.path()) == std::vector<std::string>{"docs/install.md:4: no such heading: ../README.md#Title"});

  write_text(tree / "docs/install.md", "# Install\n");
  write_text(
      tree / "README.md",
      "a [b](gone.md)\n[c](docs/install.md#by-hand) and `bash test/gone.sh`\n```sh\ncat docs/gone.txt;\n```\n`libzoo/bit/gone.h:12`\n");
  CHECK(dead_ends(tree.path()) == std::vector<std::string>{"README.md:1: dead link: gone.md", "README.md:2: no such path: test/gone.sh",
                                                           "README.md:2: no such heading: docs/install.md#by-hand",
                                                           "README.md:4: no such path: docs/gone.txt",
                                                           "README.md:6: no such path: libzoo/bit/gone.h"});
}
