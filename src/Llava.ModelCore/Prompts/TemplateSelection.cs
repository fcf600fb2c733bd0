namespace Llava.ModelCore.Prompts;

/// <summary>
/// Which template a checkpoint's name suggests (spec 3.5). A substring decides, so <c>v1</c> also matches <c>v1.5</c>, which is meant,
/// and any other name with <c>v1</c> in it, which is not: a template that is named explicitly is always better.
/// </summary>
public static class TemplateSelection
{
    /// <summary>The choice of the original's command line.</summary>
    public static ConversationTemplate ForModelName(string modelName, LlavaRevision revision = LlavaRevision.V12)
    {
        if (revision == LlavaRevision.V01)
        {
            return ConversationTemplates.Find(LegacyName(Lower(modelName)), revision);
        }

        // In July 2023 the rule for LLaMA-2 was missing, an oversight that was mended two weeks later.
        var name = Lower(modelName);
        return ConversationTemplates.Find(
            name.Contains("llama-2", StringComparison.Ordinal) ? "llava_llama_2"
            : revision == LlavaRevision.V12 && name.Contains("mistral", StringComparison.Ordinal) ? "mistral_instruct"
            : revision == LlavaRevision.V12 && name.Contains("v1.6-34b", StringComparison.Ordinal) ? "chatml_direct"
            : name.Contains("v1", StringComparison.Ordinal) ? "llava_v1"
            : name.Contains("mpt", StringComparison.Ordinal) ? "mpt"
            : "llava_v0",
            revision);
    }

    /// <summary>
    /// The choice of the original's web interface, which also knows checkpoints trained on captions only. Where it names a template
    /// that does not exist and crashes (<c>mpt_text</c>, <c>mistral_orca</c>), the nearest one is taken.
    /// </summary>
    public static ConversationTemplate ForWebInterface(string modelName, LlavaRevision revision = LlavaRevision.V12)
    {
        var name = Lower(modelName);
        return revision == LlavaRevision.V01 ? ConversationTemplates.Find(LegacyName(name), revision)
            : ConversationTemplates.Find(name.Contains("llava", StringComparison.Ordinal) ? MultimodalName(name, revision) : TextName(name), revision);
    }

    /// <summary>The choice of the batched evaluation: a checkpoint trained on captions only takes the variant with image tags.</summary>
    public static ConversationTemplate ForEvaluation(string modelName, string templateName, LlavaRevision revision = LlavaRevision.V12) =>
        ConversationTemplates.Find(IsCaptionModel(Lower(modelName)) && !templateName.Contains("mmtag", StringComparison.Ordinal) ? templateName + "_mmtag" : templateName, revision);

    private static string MultimodalName(string name, LlavaRevision revision)
    {
        var isV12 = revision == LlavaRevision.V12;
        var isMistral = isV12 && (name.Contains("mistral", StringComparison.Ordinal) || name.Contains("mixtral", StringComparison.Ordinal));
        var takesTags = name.Contains("mmtag", StringComparison.Ordinal) || IsCaptionModel(name);
        return name.Contains("llama-2", StringComparison.Ordinal) ? "llava_llama_2"
            : isMistral && (name.Contains("orca", StringComparison.Ordinal) || name.Contains("hermes", StringComparison.Ordinal)) ? "chatml_direct"
            : isMistral ? "mistral_instruct"
            : isV12 && name.Contains("llava-v1.6-34b", StringComparison.Ordinal) ? "chatml_direct"
            : name.Contains("v1", StringComparison.Ordinal) ? (takesTags ? "v1_mmtag" : "llava_v1")
            : name.Contains("mpt", StringComparison.Ordinal) ? "mpt"
            : takesTags ? "v0_mmtag" : "llava_v0";
    }

    private static string TextName(string name) =>
        name.Contains("mpt", StringComparison.Ordinal) ? "mpt" : name.Contains("llama-2", StringComparison.Ordinal) ? "llama_2" : "vicuna_v1";

    private static string LegacyName(string name) => name.Contains("llava", StringComparison.Ordinal)
        ? name.Contains("v1", StringComparison.Ordinal) ? (name.Contains("lora", StringComparison.Ordinal) ? "vicuna_v1_1" : "llava_v1")
            : name.Contains("mpt", StringComparison.Ordinal) ? "mpt_multimodal" : "multimodal"
        : name.Contains("mpt", StringComparison.Ordinal) ? "mpt_text"
            : name.Contains("koala", StringComparison.Ordinal) ? "bair_v1"
            : name.Contains("v1", StringComparison.Ordinal) ? "vicuna_v1_1" : "v1";

    private static bool IsCaptionModel(string name) => name.Contains("plain", StringComparison.Ordinal) && !name.Contains("finetune", StringComparison.Ordinal);

    private static string Lower(string modelName) => modelName.ToLowerInvariant();
}
