namespace Llava.ModelCore.Engine.Cuda;

/// <summary>How the CUDA runner keeps keys and values.</summary>
public enum KvCacheType
{
    /// <summary>16 bits a number.</summary>
    BFloat16,

    /// <summary>8 bits a number (e4m3) and a scale for each head of a position: about half the bytes.</summary>
    Fp8,
}
