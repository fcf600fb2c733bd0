using System.Text;
using System.Text.Json;
using Llava.GpuConsumer.Training.Rows;

namespace Llava.GpuConsumer.Tests.Training;

public sealed class RowTests
{
    [Fact]
    public void A_chat_becomes_turns_with_its_system_its_image_and_what_is_learned()
    {
        var row = Chat("""
            [{"role":"system","content":"Be short."},
             {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:x"}}]},
             {"role":"assistant","content":"A circle.","weight":0},
             {"role":"user","content":"And its color?"},
             {"role":"assistant","content":[{"type":"text","text":"Red."}],"weight":1}]
            """);

        Assert.Equal(("Be short.", "data:x"), (row.System, row.Image));
        Assert.Equal([(false, true), (true, false), (false, true), (true, true)], row.Turns.Select(turn => (turn.IsAssistant, turn.IsLearned)));
        Assert.Equal(["<image>\nWhat is this?", "A circle.", "And its color?", "Red."], row.Turns.Select(TrainingRow.TextOf));
    }

    [Fact]
    public void What_a_user_says_in_two_messages_is_one_turn()
    {
        var row = Chat("""[{"role":"user","content":"Look."},{"role":"user","content":"What is it?"},{"role":"assistant","content":"A circle."}]""");

        Assert.Equal(["Look.\nWhat is it?", "A circle."], row.Turns.Select(TrainingRow.TextOf));
    }

    [Fact]
    public void A_placeholder_in_the_text_shows_nothing() =>
        Assert.Equal("Is  a word?", TrainingRow.TextOf(new(false, "Is <ima<image>ge> a word?", [])));

    [Theory]
    [InlineData("[]", "invalid_messages")]
    [InlineData("3", "invalid_messages")]
    [InlineData("""[{"role":"user","content":"a"}]""", "invalid_messages")]
    [InlineData("""[{"role":"assistant","content":"a"}]""", "invalid_messages")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"assistant","content":"c"}]""", "invalid_messages")]
    [InlineData("""[{"role":"owner","content":"a"}]""", "invalid_role")]
    [InlineData("""[{"role":"tool","content":"a"}]""", "invalid_role")]
    [InlineData("""[{"content":"a"}]""", "invalid_role")]
    [InlineData("""["a"]""", "invalid_role")]
    [InlineData("""[{"role":"user"}]""", "invalid_content")]
    [InlineData("""[{"role":"user","content":3}]""", "invalid_content")]
    [InlineData("""[{"role":"user","content":[{"type":"input_audio"}]}]""", "invalid_content")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"x"}}]}]""", "invalid_content")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":2}]""", "invalid_weight")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":"1"}]""", "invalid_weight")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0}]""", "nothing_to_learn")]
    public void What_is_wrong_with_a_chat_makes_the_file_wrong(string messages, string code)
    {
        var wrong = Assert.Throws<RowException>(() => Chat(messages));

        Assert.Equal((code, false), (wrong.Code, wrong.IsSkippable));
    }

    [Fact]
    public void A_row_with_two_images_is_left_out()
    {
        var part = """{"type":"image_url","image_url":{"url":"x"}}""";

        var wrong = Assert.Throws<RowException>(() => Chat($$"""[{"role":"user","content":[{{part}},{{part}}]},{"role":"assistant","content":"b"}]"""));

        Assert.Equal(("too_many_images", true), (wrong.Code, wrong.IsSkippable));
    }

    [Fact]
    public void A_conversation_of_LLaVAs_own_form_is_read_too()
    {
        var row = Conversation("""{"id":1,"image":"a.png","conversations":[{"from":"gpt","value":"Hi."},{"from":"human","value":"What?\n<image>"},{"from":"gpt","value":"A cat."}]}""");

        Assert.Equal("a.png", row.Image);
        Assert.Equal(["<image>\nWhat?", "A cat."], row.Turns.Select(TrainingRow.TextOf));
    }

    [Theory]
    [InlineData("""{"conversations":{}}""", "invalid_messages")]
    [InlineData("""{"conversations":[{"from":"bot","value":"a"}]}""", "invalid_role")]
    [InlineData("""{"image":3,"conversations":[]}""", "invalid_content")]
    [InlineData("""{"image":"a","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}""", "invalid_content")]
    [InlineData("""{"image":"a","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"<image>"}]}""", "invalid_content")]
    public void What_is_wrong_with_a_conversation_makes_the_file_wrong(string row, string code) =>
        Assert.Equal(code, Assert.Throws<RowException>(() => Conversation(row)).Code);

    [Fact]
    public async Task Lines_are_numbered_as_an_editor_numbers_them()
    {
        var rows = await LinesAsync("\uFEFF{\"a\":1}\r\n\n  \n{\"b\":2}\nnot json\n[1]");

        Assert.Equal([(1, true), (4, true), (5, false), (6, true)], rows.Select(row => (row.Line, row.Problem is null)));
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_told_of_and_not_kept()
    {
        var rows = await LinesAsync($"{{\"a\":1}}\n{{\"b\":\"{new string('x', 200_000)}\"}}\n{{\"c\":1}}");

        Assert.Equal([(1, true), (2, false)], rows.Select(row => (row.Line, row.Problem is null)).Take(2));
    }

    [Fact]
    public async Task A_list_is_read_row_by_row_until_it_breaks()
    {
        var rows = await LinesAsync(" [{\"a\":1}, {\"b\":2}, ");

        Assert.Equal([1, 2], rows.Where(row => row.Problem is null).Select(row => row.Line));
        Assert.Contains("no JSON", rows[^1].Problem, StringComparison.Ordinal);
    }

    private static TrainingRow Chat(string messages) => ChatRow.Read(JsonElement.Parse(messages));

    private static TrainingRow Conversation(string row) => ConversationRow.Read(JsonElement.Parse(row), JsonElement.Parse(row).GetProperty("conversations"));

    private static async Task<List<RowLine>> LinesAsync(string text)
    {
        using MemoryStream file = new(Encoding.UTF8.GetBytes(text));
        List<RowLine> rows = [];
        await foreach (var row in RowLines.ReadAsync(file, 1000, default))
        {
            rows.Add(row);
        }

        return rows;
    }
}
