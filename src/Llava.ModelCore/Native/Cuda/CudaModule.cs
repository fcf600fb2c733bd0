using System.Text;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>A compiled file of kernels on the thread's device.</summary>
internal sealed unsafe class CudaModule : IDisposable
{
    private readonly CudaDriver _driver;
    private readonly nint _module;

    /// <param name="driver">The driver; a device is the thread's.</param>
    /// <param name="image">A cubin for the device, or PTX as text that ends with a zero.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <exception cref="CudaException">The image is not for this device or this driver.</exception>
    public CudaModule(CudaDriver driver, ReadOnlySpan<byte> image, string name)
    {
        (_driver, Name) = (driver, name);
        nint module;
        fixed (byte* start = image)
        {
            driver.Check(driver.Functions.ModuleLoadData(&module, start), $"load the kernels '{name}'");
        }

        _module = module;
    }

    public string Name { get; }

    /// <summary>A kernel by the name it has in the source.</summary>
    /// <exception cref="CudaException">There is none.</exception>
    public CudaKernel this[string kernel]
    {
        get
        {
            nint function;
            fixed (byte* name = Encoding.UTF8.GetBytes(kernel + '\0'))
            {
                _driver.Check(_driver.Functions.ModuleGetFunction(&function, _module, name), $"find the kernel '{kernel}' in '{Name}'");
            }

            return new CudaKernel(_driver, function, kernel);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _driver.Check(_driver.Functions.ModuleUnload(_module), $"unload the kernels '{Name}'");
}
