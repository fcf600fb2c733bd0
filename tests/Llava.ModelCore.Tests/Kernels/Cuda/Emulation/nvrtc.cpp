// The run-time compiler that the tests load instead of libnvrtc: what it makes of a source is the source, its headers and its options, one after the other.
// A source that says #error does not compile.
#include <cstdlib>
#include <cstring>
#include <string>

namespace {
struct Program { std::string source, image, log; };

int copy(const std::string& from, char* to) { memcpy(to, from.c_str(), from.size() + 1); return 0; }
}

extern "C" {
int nvrtcVersion(int* major, int* minor) { *major = 12; *minor = 4; return 0; }
int nvrtcGetNumSupportedArchs(int* count) { *count = 3; return 0; }
int nvrtcGetSupportedArchs(int* architectures) { architectures[0] = 50; architectures[1] = 80; architectures[2] = 89; return 0; }
const char* nvrtcGetErrorString(int) { return "compilation failed"; }
int nvrtcCreateProgram(Program** program, const char* source, const char* name, int headers, const char* const* texts, const char* const* names) {
    *program = new Program{std::string(name) + "\n" + source, "", ""};
    for (int i = 0; i < headers; i++) (*program)->source += std::string("\n") + names[i] + "\n" + texts[i];
    return 0;
}
int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    program->image = program->source;
    for (int i = 0; i < count; i++) program->image += std::string("\n") + options[i];
    if (program->source.find("#error") == std::string::npos) return 0;
    program->log = program->source.substr(0, program->source.find('\n')) + "(1): error: as it says\n";
    return 6;
}
int nvrtcGetProgramLogSize(Program* program, size_t* size) { *size = program->log.size() + 1; return 0; }
int nvrtcGetProgramLog(Program* program, char* log) { return copy(program->log, log); }
int nvrtcGetCUBINSize(Program* program, size_t* size) { *size = program->image.size() + 1; return 0; }
int nvrtcGetCUBIN(Program* program, char* image) { return copy(program->image, image); }
int nvrtcGetPTXSize(Program* program, size_t* size) { *size = program->image.size() + 1; return 0; }
int nvrtcGetPTX(Program* program, char* image) { return copy(program->image, image); }
int nvrtcDestroyProgram(Program** program) { delete *program; *program = nullptr; return 0; }
}
