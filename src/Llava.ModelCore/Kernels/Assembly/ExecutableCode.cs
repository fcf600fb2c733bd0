using System.Runtime.InteropServices;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>Code in memory of its own: written first, then made executable, never both at a time.</summary>
internal sealed unsafe partial class ExecutableCode : IDisposable
{
    private readonly nuint _length;
    private byte* _start;

    private ExecutableCode(byte* start, nuint length)
    {
        _start = start;
        _length = length;
    }

    ~ExecutableCode() => Free();

    /// <summary>The first byte; valid until this is disposed.</summary>
    public byte* Start => _start;

    /// <summary>Maps code; null when the system does not allow a program to make any.</summary>
    public static ExecutableCode? TryMap(ReadOnlySpan<byte> code)
    {
        var length = (nuint)code.Length;
        var start = OperatingSystem.IsWindows() ? Windows.Allocate(length) : Unix.Allocate(length);
        if (start is null)
        {
            return null;
        }

        code.CopyTo(new Span<byte>(start, code.Length));
        ExecutableCode mapped = new(start, length);
        if (OperatingSystem.IsWindows() ? Windows.Seal(start, length) : Unix.Seal(start, length))
        {
            return mapped;
        }

        mapped.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_start is null)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Windows.Free(_start);
        }
        else
        {
            Unix.Free(_start, _length);
        }

        _start = null;
    }

    private static partial class Unix
    {
        private const int Read = 1;
        private const int Write = 2;
        private const int Execute = 4;
        private const int Private = 2;
        private static readonly int Anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;

        public static byte* Allocate(nuint length) => Map(null, length, Read | Write, Private | Anonymous, -1, 0) is var start && start == (byte*)-1 ? null : start;

        public static bool Seal(byte* start, nuint length) => Protect(start, length, Read | Execute) == 0;

        public static void Free(byte* start, nuint length) => _ = Unmap(start, length);

        [LibraryImport("libc", EntryPoint = "mmap")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static partial byte* Map(byte* address, nuint length, int protection, int flags, int file, nint offset);

        [LibraryImport("libc", EntryPoint = "mprotect")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static partial int Protect(byte* address, nuint length, int protection);

        [LibraryImport("libc", EntryPoint = "munmap")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static partial int Unmap(byte* address, nuint length);
    }

    private static partial class Windows
    {
        private const uint CommitAndReserve = 0x3000;
        private const uint Release = 0x8000;
        private const uint ReadWrite = 0x04;
        private const uint ExecuteRead = 0x20;

        public static byte* Allocate(nuint length) => VirtualAlloc(null, length, CommitAndReserve, ReadWrite);

        public static bool Seal(byte* start, nuint length) => VirtualProtect(start, length, ExecuteRead, out _) != 0;

        public static void Free(byte* start) => _ = VirtualFree(start, 0, Release);

        [LibraryImport("kernel32")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static partial byte* VirtualAlloc(byte* address, nuint length, uint type, uint protection);

        [LibraryImport("kernel32")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static partial int VirtualProtect(byte* address, nuint length, uint protection, out uint before);

        [LibraryImport("kernel32")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static partial int VirtualFree(byte* address, nuint length, uint type);
    }
}
