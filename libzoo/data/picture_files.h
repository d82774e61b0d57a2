// Pictures without labels: files, folders and lists of them.
#pragma once

#include <libzoo/data/image_dataset.h>

#include <filesystem>
#include <vector>

namespace zoo::data {

// Pictures below the files and folders, folders walked in the order of their names, links to folders left out: they can lead
// in circles. A folder's files that are no pictures by their first bytes are passed over; a file named outright must be one. A
// .txt file is a list of any of these, one a line, relative to its folder; empty lines and those that begin with # are passed over.
// Throws UserError for what can't be read.
std::vector<std::filesystem::path> list_pictures(const std::vector<std::filesystem::path>& paths);

// As a data set with a single class, so that they are decoded ahead like any other.
DatasetPointer picture_files(std::vector<std::filesystem::path> files);

}  // namespace zoo::data
