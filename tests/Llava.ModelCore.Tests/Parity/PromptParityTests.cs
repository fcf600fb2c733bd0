using System.Text.Json;
using Llava.ModelCore.Prompts;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Case J: every template and every prompt of the original, at both revisions.</summary>
public sealed class PromptParityTests
{
    public static TheoryData<LlavaRevision, string> Revisions => new()
    {
        { LlavaRevision.V10, "expected_templates_rev898d73f.json" },
        { LlavaRevision.V12, "expected_templates_main.json" },
    };

    [Theory]
    [MemberData(nameof(Revisions))]
    public void Every_template_is_that_of_the_original(LlavaRevision revision, string file)
    {
        var templates = FixtureFolder.Json(FixtureFolder.Case("J"), file).GetProperty("templates").EnumerateObject().ToList();

        Assert.NotEmpty(templates);
        Assert.All(templates, expected =>
        {
            var template = ConversationTemplates.Find(expected.Name, revision);
            Assert.Equal(expected.Value.Text("system"), template.System);
            Assert.Equal(expected.Value.GetProperty("roles").EnumerateArray().Select(role => role.GetString()), [template.UserRole, template.AssistantRole]);
            Assert.Equal(expected.Value.Text("sep_style").Replace("_", ""), template.Style.ToString(), ignoreCase: true);
            Assert.Equal(expected.Value.Text("sep"), template.Separator);
            Assert.Equal(expected.Value.GetProperty("sep2").GetString(), template.SecondSeparator);
            Assert.Equal(expected.Value.Text("version"), template.Version);
            Assert.Equal(expected.Value.GetProperty("offset").GetInt32(), template.Examples.Count);
            Assert.Equal(
                expected.Value.GetProperty("messages").EnumerateArray().Select(message => (message[0].GetString(), message[1].GetString())),
                template.Examples.Select(message => ((string?)template.RoleOf(message.Speaker), message.Text)));
        });
    }

    [Theory]
    [MemberData(nameof(Revisions))]
    public void Every_conversation_becomes_the_prompt_of_the_original(LlavaRevision revision, string file)
    {
        var prompts = FixtureFolder.Json(FixtureFolder.Case("J"), file).GetProperty("prompts").EnumerateArray().ToList();

        Assert.NotEmpty(prompts);
        Assert.All(prompts, expected =>
        {
            var conversation = Converse(ConversationTemplates.Find(expected.Text("template"), revision), expected.GetProperty("messages"));
            Assert.Equal(expected.Text("stop_str"), conversation.Template.OriginalStopString);
            if (expected.GetProperty("prompt").GetString() is { } prompt)
            {
                Assert.Equal(prompt, conversation.ToPrompt());
            }
            else
            {
                Assert.Throws<PromptException>(conversation.ToPrompt); // as the original raises
            }
        });
    }

    private static Conversation Converse(ConversationTemplate template, JsonElement messages) => messages.EnumerateArray().Aggregate(
        Conversation.Start(template),
        (conversation, message) => conversation.Add(message[0].GetString() == "u" ? Speaker.User : Speaker.Assistant, message[1].GetString()));
}
