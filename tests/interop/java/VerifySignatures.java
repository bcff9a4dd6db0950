import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableFile;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Bouncy Castle's word on detached CMS signatures: ARTIFACT SIGNATURE ..., one line "OID true|false|reason" a signer. */
public final class VerifySignatures {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            CMSProcessableFile artifact = new CMSProcessableFile(Path.of(arguments[i]).toFile());
            CMSSignedData data = new CMSSignedData(artifact, Files.readAllBytes(Path.of(arguments[i + 1])));
            for (SignerInformation signer : data.getSignerInfos()) {
                X509CertificateHolder holder =
                    (X509CertificateHolder) data.getCertificates().getMatches(signer.getSID()).iterator().next();
                String verdict;
                try {
                    var verifier = new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder);
                    verdict = String.valueOf(signer.verify(verifier));
                } catch (Exception error) {
                    verdict = String.valueOf(error.getMessage()).replace('\n', ' ');
                }
                System.out.println(signer.getEncryptionAlgOID() + " " + verdict);
            }
        }
    }
}
