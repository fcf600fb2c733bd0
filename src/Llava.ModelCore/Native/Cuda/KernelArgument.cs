using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>
/// One argument of a kernel in a cell of eight bytes, which the driver reads as far as the parameter's type goes. Its type must be the parameter's: a <c>long</c> for <c>long long</c>, an
/// <c>int</c> for <c>int</c>, a <c>float</c> for <c>float</c>, a <c>nint</c> for a pointer.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal readonly struct KernelArgument
{
    [FieldOffset(0)]
    private readonly long _integer;

    [FieldOffset(0)]
    private readonly float _number;

    private KernelArgument(long integer) => _integer = integer;

    private KernelArgument(float number) => _number = number;

    public static implicit operator KernelArgument(nint pointer) => new((long)pointer);

    public static implicit operator KernelArgument(long integer) => new(integer);

    public static implicit operator KernelArgument(int integer) => new((long)integer);

    public static implicit operator KernelArgument(float number) => new(number);
}
