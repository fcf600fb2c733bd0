using System.Collections.Frozen;
using System.Text;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class KernelCompilerTests
{
    private static readonly FrozenDictionary<string, string> Headers = new Dictionary<string, string> { ["a.h"] = "int a;", ["b.h"] = "int b;" }.ToFrozenDictionary();
    private static readonly ComputeCapability Known = new(8, 9);

    [Fact]
    public void Source_headers_and_options_reach_the_compiler()
    {
        var compiled = Encoding.UTF8.GetString(Nvrtc.Open([EmulatedDevice.Library]).Compile("norm.cu", "void é() {}", Headers, "sm_89"));
        Assert.StartsWith("norm.cu\nvoid é() {}\n", compiled, StringComparison.Ordinal);
        Assert.Contains("a.h\nint a;", compiled, StringComparison.Ordinal);
        Assert.Contains("b.h\nint b;", compiled, StringComparison.Ordinal);
        Assert.EndsWith("--gpu-architecture=sm_89\n--std=c++17\0", compiled, StringComparison.Ordinal);
    }

    // LLAVA_NVRTC names a real libnvrtc, which needs no GPU; otherwise the one that the tests bring passes on what it is given.
    [Fact]
    public void Every_source_compiles_with_its_headers()
    {
        var nvrtc = Nvrtc.Open([Environment.GetEnvironmentVariable("LLAVA_NVRTC") ?? EmulatedDevice.Library]);
        Assert.NotEmpty(KernelSources.Kernels);
        foreach (var (name, source) in KernelSources.Kernels)
        {
            var image = nvrtc.Compile(name + ".cu", source, KernelSources.Headers, $"sm_{nvrtc.Architectures[^1]}");
            Assert.NotEmpty(image);
        }
    }

    [Fact]
    public void What_the_compiler_complains_of_is_in_the_message()
    {
        var failure = Assert.Throws<CudaException>(() => Nvrtc.Open([EmulatedDevice.Library]).Compile("norm.cu", "#error", Headers, "sm_89"));
        Assert.Equal("'norm.cu' does not compile for sm_89 with NVRTC 12.4: norm.cu(1): error: as it says", failure.Message);
    }

    [Fact]
    public void No_compiler_is_one_sentence_with_what_to_do()
    {
        var failure = Assert.Throws<CudaException>(() => Nvrtc.Open(["/nowhere/libnvrtc.so.13", "libnvrtc-of-nowhere.so"]));
        Assert.Contains("/nowhere/libnvrtc.so.13, libnvrtc-of-nowhere.so", failure.Message, StringComparison.Ordinal);
        Assert.Contains("or use the CPU", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, 0, "sm_80")]
    [InlineData(8, 6, "compute_80")]
    [InlineData(10, 0, "compute_89")]
    public void A_device_that_the_compiler_does_not_know_gets_the_newest_code_before_it(int major, int minor, string architecture) =>
        Assert.Equal(architecture, KernelCompiler.ArchitectureFor(new(major, minor), [50, 80, 89]));

    [Fact]
    public void A_device_that_is_too_old_is_refused() =>
        Assert.Contains("capability 3.5", Assert.Throws<CudaException>(() => KernelCompiler.ArchitectureFor(new(3, 5), [50, 80])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_source_is_compiled_once_for_each_architecture_and_again_when_anything_changes()
    {
        using TemporaryFolder folder = new();
        var nvrtc = Nvrtc.Open([EmulatedDevice.Library]);
        KernelCompiler compiler = new(nvrtc, Known, folder.Path);
        var first = compiler.Compile("norm.cu", "source", Headers);
        var file = Assert.Single(Directory.GetFiles(folder.Path));
        Assert.EndsWith(".sm_89", file, StringComparison.Ordinal);

        // What is in the cache is what is given, so nothing was compiled again.
        File.WriteAllText(file, "kept");
        Assert.Equal("kept"u8.ToArray(), new KernelCompiler(nvrtc, Known, folder.Path).Compile("norm.cu", "source", Headers));
        Assert.Equal(first.Length + 1, compiler.Compile("norm.cu", "source2", Headers).Length);
        Assert.NotEqual("kept"u8.ToArray(), compiler.Compile("norm.cu", "source", new Dictionary<string, string>()));
        Assert.NotEqual("kept"u8.ToArray(), new KernelCompiler(nvrtc, new(8, 0), folder.Path).Compile("norm.cu", "source", Headers));
        Assert.Equal(4, Directory.GetFiles(folder.Path).Length);
    }

    [Fact]
    public void The_compiler_is_looked_for_beside_libtorch_and_in_the_packages_of_a_wheel()
    {
        using TemporaryFolder folder = new();
        foreach (var file in (string[])["torch/lib/libnvrtc.so.12", "nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cudnn/lib/libcudnn.so.9"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File(file))!);
            File.WriteAllText(folder.File(file), "");
        }

        var candidates = NvrtcFiles.Candidates(folder.File("torch/lib"));
        Assert.Equal([folder.File("torch/lib/libnvrtc.so.12"), folder.File("nvidia/cu13/lib/libnvrtc.so.13")], candidates.Where(Path.IsPathRooted).Select(Path.GetFullPath));
        Assert.Contains("libnvrtc.so.13", candidates);
    }
}
