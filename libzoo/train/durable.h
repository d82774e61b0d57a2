// Bytes that must be on the disk before something else happens.
#pragma once

#include <cstdint>
#include <filesystem>

namespace zoo::train {

// fsync. Throws Error with the path and the system's reason, as does the other.
void sync(const std::filesystem::path& file_or_folder);

uint32_t crc32_of_file(const std::filesystem::path& path);  // zlib's

}  // namespace zoo::train
