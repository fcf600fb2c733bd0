using System.Diagnostics;
using System.Text.Json;
using Llava.Testing;

namespace Llava.EndToEndTests;

/// <summary>What <c>bench/gpu/pack.sh</c> packs runs by itself, with a libtorch from elsewhere and no .NET.</summary>
public sealed class GpuArchiveTests : IDisposable
{
    // Machines with GPUs are reached through narrow doors.
    private const long Most = 24 << 20;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-gpu-archive-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_archive_is_small_and_measures_where_it_is_unpacked()
    {
        var (archive, output) = (At("bench.tar.xz"), At("out"));
        await RunAsync(Repository.Path("bench", "gpu", "pack.sh"), archive);
        Assert.InRange(new FileInfo(archive).Length, 1 << 20, Most);

        await RunAsync("tar", "-C", _folder.FullName, "-xf", archive);
        await RunAsync(At("gpu-bench/run.sh"), output, "--device", "cpu", "--tiny");

        var parts = File.ReadLines(Path.Combine(output, "bench.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("benchmark").GetString() == "part").ToList();
        Assert.Equal(9, parts.Count);
        Assert.All(parts, part => Assert.Equal("done", part.GetProperty("figures").GetProperty("outcome").GetString()));
    }

    private string At(string path) => Path.Combine(_folder.FullName, path);

    /// <summary>Runs a program to its end; libtorch is the tests' own.</summary>
    private static async Task RunAsync(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LLAVA_LIBTORCH"] = AppContext.BaseDirectory;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {await errors} {await output}");
    }
}
