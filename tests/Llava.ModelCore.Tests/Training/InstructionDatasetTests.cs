using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class InstructionDatasetTests : IDisposable
{
    private const string Good = """{"id": 7, "image": "a.png", "model": "ignored", "conversations": [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A  dog."}]}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("[{0}, {0}]")]
    [InlineData("{0}\n{0}\n")]
    [InlineData("\n  [\n{0},{0}]")]
    public void An_array_and_one_sample_per_line_are_both_read(string form)
    {
        var data = Load(form.Replace("{0}", Good, StringComparison.Ordinal));

        Assert.Empty(data.Findings);
        Assert.Equal([0, 1], data.Samples.Keys.Order());
        Assert.Equal("7", data.Samples[1].Id);
        Assert.Equal("a.png", data.Samples[1].Image);
        Assert.Equal(new ConversationTurn("gpt", "A  dog."), data.Samples[1].Turns[1]);
        Assert.Equal(new SampleLength(1, 4, true), data.Samples[1].Length);
    }

    [Fact]
    public void Malformed_samples_become_findings_that_name_them_and_spare_the_others()
    {
        var data = Load($$"""[5, {"id": "x"}, {"id": "y", "image": ["a", "b"], "conversations": [{"from": "human"}]}, {{Good}}]""");

        Assert.Equal([3], data.Samples.Keys);
        Assert.Equal([0, 1, 2, 2], data.Findings.Select(finding => finding.Index));
        Assert.Contains("sample 1 ('x')", data.Findings[1].Message, StringComparison.Ordinal);
        Assert.Contains("""["a", "b"]""", data.Findings[2].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_json_is_refused_with_the_place_it_broke()
    {
        var error = Assert.Throws<TrainingException>(() => Load($"[{Good}, oops]"));

        Assert.Contains("data.json", error.Message, StringComparison.Ordinal);
    }

    private InstructionDataset Load(string text)
    {
        File.WriteAllText(_folder.File("data.json"), text);
        return InstructionDataset.Load(_folder.File("data.json"));
    }
}
