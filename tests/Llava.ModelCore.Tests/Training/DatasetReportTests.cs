using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class DatasetReportTests : IDisposable
{
    private const int MaxLength = 96;
    private const int Features = 4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_counts_lengths_and_finds_what_is_cut_doubled_or_leaked()
    {
        var image = Path.GetFileName(Directory.EnumerateFiles(TrainingCase.ImageFolder).First(path => path.EndsWith(".png", StringComparison.Ordinal)));
        var data = Write("data.jsonl",
            Sample("What is it?", "A cat."),
            Sample("<image>\\nWhat is it?", "A dog.", image),
            Sample("What is it?", "A cat."),
            Sample("Tell me more.", string.Concat(Enumerable.Repeat("a very long story ", 60))),
            Sample("Where is it?", "Here."));

        var report = Check(data, Write("measured.jsonl", Sample("Where is it? ", "Here.")));

        Assert.Empty(report.Findings);
        Assert.Equal((5, 1), (report.Samples, report.WithImage));
        Assert.Equal([[2], [3], [4]], new[] { report.Duplicates, report.Cut, report.Leaked });
        Assert.Equal(5, report.Lengths.Sum(length => length.Samples));
        Assert.Equal(report.Positions, report.Longest.Sum());
        Assert.Equal(MaxLength, report.Longest[0]);
        Assert.All(report.Longest, length => Assert.Contains(report.Lengths, one => length >= one.From && length < 2 * one.From));
        Assert.Equal(["1 of 5 samples are also", "1 of 5 samples are the", "1 of 5 samples are cut"], report.Warnings(data.LineOf, 3).Select(warning => string.Join(' ', warning.Split(' ').Take(6))));
        Assert.Contains("(lines 5)", report.Warnings(data.LineOf, 3).First(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{0}\n\n{1}\n{2}\n", new[] { 1, 3, 4 })]
    [InlineData("[\n  {0},\n  {1}, {2}\n]", new[] { 2, 3, 3 })]
    public void A_finding_names_the_line_of_its_sample(string form, int[] lines)
    {
        var path = _folder.File("data.json");
        File.WriteAllText(path, form.Replace("{0}", Sample("What?", "This."), StringComparison.Ordinal).Replace("{1}", """{"id": "x"}""", StringComparison.Ordinal).Replace("{2}", "7", StringComparison.Ordinal));

        var data = InstructionDataset.Load(path);

        Assert.Equal(lines, Enumerable.Range(0, 3).Select(data.LineOf));
        Assert.Equal([$"line {lines[1]}: ", $"line {lines[2]}: "], data.Findings.Select(finding => data.Describe(finding)[.."line 1: ".Length]));
    }

    [Fact]
    public void Lines_are_right_in_a_file_longer_than_what_is_read_at_once()
    {
        var sample = Sample("What?", new string('x', 700_000));
        var data = Write("data.jsonl", [.. Enumerable.Repeat(sample, 5)]);

        Assert.Equal([1, 2, 3, 4, 5], Enumerable.Range(0, 5).Select(data.LineOf));
    }

    private static DatasetReport Check(InstructionDataset data, InstructionDataset measured)
    {
        var processor = new SampleProcessor(ConversationTemplates.Find("v1"), TokenizerFolder.Open(TrainingCase.TokenizerFolderOf("tokenizer.model")), MaxLength, usesImageStartEnd: false);
        var result = new SampleRules(processor, TrainingCase.Images(ImageAspect.Square), verifiesImages: true, Features).Check(data.Samples.Values);
        return DatasetReport.Of(data, [.. data.Findings, .. result.Findings], result.Sizes, measured);
    }

    private static string Sample(string question, string answer, string? image = null) =>
        $$"""{"id": "s", {{(image is null ? "" : $"\"image\": \"{image}\", ")}}"conversations": [{"from": "human", "value": "{{question}}"}, {"from": "gpt", "value": "{{answer}}"}]}""";

    private InstructionDataset Write(string name, params string[] lines)
    {
        File.WriteAllLines(_folder.File(name), lines);
        return InstructionDataset.Load(_folder.File(name));
    }
}
