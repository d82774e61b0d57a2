// The one EXIF field that changes how a picture looks: its orientation, 1 to 8.
#pragma once

#include <libzoo/io/image.h>

#include <span>

namespace zoo::io {

// `app1` is the payload of a JPEG's APP1 segment ("Exif\0\0" and a TIFF directory). Anything malformed, and any value
// outside 1 to 8, counts as 1.
int exif_orientation(std::span<const uint8_t> app1);

// The picture upright: 1 as it is, 2 mirrored, 3 turned by 180°, 4 upside down, 5 transposed, 6 turned clockwise by 90°,
// 7 transposed along the other diagonal, 8 turned anticlockwise by 90°.
Image upright(Image image, int orientation);

}  // namespace zoo::io
