// What decoder and encoder share of libjpeg: errors come back as messages instead of ending the program.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#include <jerror.h>

namespace zoo::io {

// libjpeg reports errors by longjmp. So every call into it sits in a function that holds no object with a destructor and
// returns false after a jump; `message` then says why.
struct JpegJump {
  jpeg_error_mgr errors{};
  jmp_buf target;
  char message[JMSG_LENGTH_MAX] = "";

  void install() {
    jpeg_std_error(&errors);
    errors.error_exit = fail;
    errors.emit_message = on_message;
    errors.output_message = [](j_common_ptr) {};
  }

  [[noreturn]] static void fail(j_common_ptr info) {
    auto* jump = reinterpret_cast<JpegJump*>(info->err);
    (*info->err->format_message)(info, jump->message);
    longjmp(jump->target, 1);
  }

 private:
  // Warnings that mean lost pixels are errors; the others (bytes between segments, odd version numbers) occur in files
  // that are whole.
  static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
      case JWRN_JPEG_EOF:
      case JWRN_HIT_MARKER:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_ARITH_BAD_CODE:
      case JWRN_MUST_RESYNC: fail(info);
      default: break;
    }
  }
};

}  // namespace zoo::io
