using Llava.Cli.Output;

namespace Llava.Cli.Tests.Output;

public sealed class OutputFormatTests
{
    [Theory]
    [InlineData("a.jsonl", "jsonl")]
    [InlineData("a.CSV", "csv")]
    [InlineData("a.parquet", "parquet")]
    [InlineData("a.tar", "webdataset")]
    [InlineData("folder", "txt")]
    public void The_name_of_a_file_says_its_format(string path, string format) => Assert.Equal(OutputFormats.Names[format], OutputFormats.Of(path));

    [Fact]
    public void A_name_that_says_nothing_is_refused() => Assert.Contains("--format", Assert.Throws<UsageException>(() => OutputFormats.Of("a.xlsx")).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_format_can_be_typed() => Assert.Equal(Enum.GetValues<OutputFormat>(), OutputFormats.Names.Values.Order());
}
