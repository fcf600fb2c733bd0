using System.Globalization;
using System.Text.Json;

namespace Llava.ModelCore.Training;

/// <summary>A file of instruction data: a JSON array of samples, or one sample per line.</summary>
public sealed class InstructionDataset
{
    private readonly Lazy<IReadOnlyList<int>> _lines;

    private InstructionDataset(string path, bool isArray, IReadOnlyDictionary<int, InstructionSample> samples, IReadOnlyList<SampleFinding> findings)
    {
        (Path, Samples, Findings) = (path, samples, findings);
        _lines = new(() => SampleLines.Of(path, isArray));
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Well-formed samples by index.</summary>
    public IReadOnlyDictionary<int, InstructionSample> Samples { get; }

    /// <summary>What is wrong with the form of the other samples.</summary>
    public IReadOnlyList<SampleFinding> Findings { get; }

    /// <summary>Line of the file that a sample begins on, from 1.</summary>
    public int LineOf(int sample) => _lines.Value[sample];

    /// <summary>A finding with the line of the file that its sample begins on, as people look for it.</summary>
    public string Describe(SampleFinding finding) => finding.Index < _lines.Value.Count
        ? string.Create(CultureInfo.InvariantCulture, $"line {LineOf(finding.Index)}: {finding.Message}")
        : finding.Message;

    /// <summary>Reads a file in one pass; samples that are not well formed become findings.</summary>
    /// <exception cref="TrainingException">The file is missing or is not JSON.</exception>
    public static InstructionDataset Load(string path)
    {
        var samples = new Dictionary<int, InstructionSample>();
        var findings = new List<SampleFinding>();
        var (index, isArray) = (0, false);
        try
        {
            using var stream = File.OpenRead(path);
            isArray = IsArray(stream);
            foreach (var json in JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(stream, topLevelValues: !isArray).ToBlockingEnumerable())
            {
                if (InstructionSample.Read(json, index, findings) is { } sample)
                {
                    samples.Add(index, sample);
                }

                index++;
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"Instruction data '{path}' cannot be read after {index} samples: {e.Message}", e);
        }

        return new InstructionDataset(path, isArray, samples, findings);
    }

    private static bool IsArray(FileStream stream)
    {
        int first;
        do
        {
            first = stream.ReadByte();
        }
        while (first is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);

        stream.Position = 0;
        return first == '[';
    }
}
