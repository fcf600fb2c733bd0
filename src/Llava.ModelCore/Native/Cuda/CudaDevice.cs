using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>One device with its primary context, the one that libtorch uses too: pointers and streams of either mean the same to the other.</summary>
internal sealed unsafe class CudaDevice : IDisposable
{
    private const int MultiprocessorCount = 16;
    private const int CapabilityMajor = 75;
    private const int CapabilityMinor = 76;
    private const int LongestName = 256;

    private readonly nint _context;
    private readonly int _device;

    /// <param name="driver">The driver.</param>
    /// <param name="ordinal">Which of its devices.</param>
    /// <exception cref="CudaException">There is no such device, or it cannot be used.</exception>
    public CudaDevice(CudaDriver driver, int ordinal)
    {
        Driver = driver;
        int device;
        driver.Check(driver.Functions.DeviceGet(&device, ordinal), $"open CUDA device {ordinal}");
        _device = device;
        var name = stackalloc byte[LongestName];
        driver.Check(driver.Functions.DeviceGetName(name, LongestName, device), "ask for the device's name");
        Name = Marshal.PtrToStringUTF8((nint)name)!;
        Capability = new ComputeCapability(Attribute(CapabilityMajor), Attribute(CapabilityMinor));
        Multiprocessors = Attribute(MultiprocessorCount);
        nint context;
        driver.Check(driver.Functions.DevicePrimaryCtxRetain(&context, device), $"use '{Name}'");
        _context = context;
    }

    public CudaDriver Driver { get; }

    public string Name { get; }

    public ComputeCapability Capability { get; }

    public int Multiprocessors { get; }

    /// <summary>Makes this the device of the calling thread; every thread that launches says so once.</summary>
    public void Activate() => Driver.Check(Driver.Functions.CtxSetCurrent(_context), $"use '{Name}'");

    /// <summary>Bytes that are free now, whoever has the rest, and bytes in all. The device must be the thread's.</summary>
    public (long Free, long Total) Memory()
    {
        nuint free, total;
        Driver.Check(Driver.Functions.MemGetInfo(&free, &total), "ask for the device's memory");
        return ((long)free, (long)total);
    }

    /// <inheritdoc/>
    public void Dispose() => Driver.Check(Driver.Functions.DevicePrimaryCtxRelease(_device), $"give '{Name}' back");

    private int Attribute(int attribute)
    {
        int value;
        Driver.Check(Driver.Functions.DeviceGetAttribute(&value, attribute, _device), "ask what the device can do");
        return value;
    }
}
