using System.Text.Json.Nodes;

namespace Llava.Benchmarks.Gpu;

/// <summary>Lines of JSON, each on the disk before the next thing is measured: a run that is cut off still counts.</summary>
/// <param name="path">The file; appended to.</param>
internal sealed class BenchLines(string path)
{
    private readonly List<JsonNode> _written = [];

    /// <summary>All that was written by this run.</summary>
    public IReadOnlyList<JsonNode> Written => _written;

    /// <summary>Writes a line.</summary>
    public void Write(string benchmark, object figures) => Append(Figures.Line(benchmark, figures));

    /// <summary>Writes a line that is JSON already.</summary>
    public void Append(string line)
    {
        _written.Add(JsonNode.Parse(line)!);
        File.AppendAllText(path, line + "\n");
    }

    /// <summary>Figures of the lines of one benchmark.</summary>
    public IEnumerable<JsonNode> Of(string benchmark) => _written.Where(line => (string?)line["benchmark"] == benchmark).Select(line => line["figures"]!);
}
