using System.Runtime.InteropServices;
using System.Text.Json;

namespace Llava.Benchmarks;

/// <summary>Writes figures as lines of JSON, each with where and when they were measured.</summary>
internal static class Figures
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes one line.</summary>
    public static void Write(string benchmark, object figures) => Console.WriteLine(Line(benchmark, figures));

    /// <summary>One line.</summary>
    public static string Line(string benchmark, object figures) => JsonSerializer.Serialize(
        new
        {
            Benchmark = benchmark,
            Date = DateTime.UtcNow.ToString("yyyy-MM-dd", null),
            Cores = Environment.ProcessorCount,
            Processor = ProcessorName(),
            System = RuntimeInformation.OSDescription,
            LoadBefore = LoadAverage(),
            Figures = figures,
        },
        Json);

    /// <summary>What else the machine does: processes that want to run, over the last minute.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    private static string ProcessorName() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
}
