// Finds links and paths in Markdown files that lead nowhere.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zoo::architecture {

// GitHub's anchor of a heading: "## What's there: `a b`" -> "whats-there-a-b".
std::string anchor_of(const std::string& heading);

// One line per dead end, `docs/x.md:12: …`, over README.md and docs/*.md of `root`. Checked are relative links with
// their anchors, and, in code spans and code blocks, each word that starts with a top-level folder of the repository
// (not build/ and runs/, which the programs write). Words with *, <, {, $ or … stand for many paths and are skipped.
std::vector<std::string> dead_ends(const std::filesystem::path& root);

}  // namespace zoo::architecture
