using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine;

/// <summary>Counts what questions take in tokens, from a checkpoint's headers and tokenizer alone. Any number of threads may use it.</summary>
public sealed class PromptCounter
{
    private readonly ITokenizer _tokenizer;
    private readonly LlavaConfig _config;
    private readonly ConversationTemplate _template;

    private PromptCounter(ITokenizer tokenizer, LlavaConfig config, ConversationTemplate template) => (_tokenizer, _config, _template) = (tokenizer, config, template);

    /// <summary>Positions that one image takes; 0 for a model without a vision tower.</summary>
    public int ImageTokens => _config.Vision?.Features ?? 0;

    /// <summary>Reads what it needs of a checkpoint; no weights.</summary>
    /// <exception cref="LlavaException">The checkpoint or its tokenizer cannot be used.</exception>
    public static PromptCounter Open(string folder)
    {
        using var checkpoint = CheckpointFolder.Open(folder);
        return new(TokenizerFolder.Open(checkpoint.TokenizerFolder), checkpoint.Config, LoadedModel.TemplateOf(checkpoint));
    }

    /// <summary>Tokens of a question in its template, those of its images left out.</summary>
    /// <param name="text">What is asked.</param>
    /// <param name="images">How many images come with it.</param>
    /// <param name="template">Template to use instead of the model's own.</param>
    /// <exception cref="PromptException">The template is unknown or cannot express the question.</exception>
    public int CountText(string text, int images, string? template = null)
    {
        var chosen = template is null ? _template : ConversationTemplates.Find(template);
        var prompt = Conversation.Start(chosen).Add(Speaker.User, QuestionPreparation.WithImages(_config, text, images)).Add(Speaker.Assistant, null).ToPrompt();
        return ImagePlaceholder.Encode(_tokenizer, prompt).Count(id => id != ImagePlaceholder.TokenId);
    }
}
