namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>General registers that both calling conventions leave to the callee, by their number in an instruction.</summary>
internal enum Register
{
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
}

/// <summary>A place in memory: a register and a distance, or two registers of which the second counts 1, 2, 4 or 8 times. With <see cref="Repeats"/> one 32-bit element stands for all lanes.</summary>
internal readonly record struct Operand(Register Base, int Displacement, bool Repeats = false, Register Index = default, int Scale = 0);

/// <summary>Who passes the first argument where, and which vector registers the callee must give back as they were.</summary>
internal enum CallingConvention
{
    /// <summary>Linux and macOS: rdi; no vector register is kept.</summary>
    SystemV,

    /// <summary>Windows: rcx; the lower halves of xmm6 to xmm15 are kept.</summary>
    Windows,
}
