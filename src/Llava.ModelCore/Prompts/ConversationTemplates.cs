namespace Llava.ModelCore.Prompts;

/// <summary>The templates of the original implementation.</summary>
public static class ConversationTemplates
{
    /// <summary>All templates of a revision.</summary>
    public static IReadOnlyList<ConversationTemplate> All(LlavaRevision revision = LlavaRevision.V12) => revision switch
    {
        LlavaRevision.V01 => TemplatesV01.All,
        LlavaRevision.V10 => TemplatesV10.All,
        _ => TemplatesV12.All,
    };

    /// <summary>The template of that name; the same name may stand for different texts in different revisions.</summary>
    /// <exception cref="PromptException">There is none; the message lists those there are.</exception>
    public static ConversationTemplate Find(string name, LlavaRevision revision = LlavaRevision.V12) =>
        All(revision).FirstOrDefault(template => template.Name == name)
        ?? throw new PromptException($"There is no prompt template '{name}' in {revision}. Choose one of: {string.Join(", ", All(revision).Select(template => template.Name))}.");

    /// <summary>What training uses when no template is named: <c>v0</c> up to 1.0, <c>v1</c> later (spec 3.3).</summary>
    public static ConversationTemplate Default(LlavaRevision revision = LlavaRevision.V12) =>
        Find(revision switch { LlavaRevision.V01 => "default", LlavaRevision.V10 => "v0", _ => "v1" }, revision);
}
