Feature: Where the customer ends
  The Partner shows its customers what it knows from its acquirer: a confirmation after an approval, the
  checkout with an error after anything else. It must know by the time that they are back.

  @AP-16 @AP-29
  Scenario: On the confirmation page, after an approval at once
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the customer ends on the Partner's confirmation page

  @AP-17 @AP-29
  Scenario: At the checkout with an error, after a decline at once
    Given a Partner with an order of 459.00 SEK
    And Klarna will decline the payment
    When the Partner creates the payment
    Then the customer ends on the Partner's checkout page with an error

  @AP-29 @redirect
  Scenario: On the confirmation page, after an approval in redirect mode
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in redirect mode
    And the customer opens the URL that the acquirer returned
    And the customer approves the purchase
    Then the customer ends on the Partner's confirmation page

  @AP-29 @sdk
  Scenario: On the confirmation page, after an approval in SDK mode
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in SDK mode
    And the customer opens the SDK with the payment request id that the acquirer returned
    And the customer approves the purchase
    Then the customer ends on the Partner's confirmation page

  @AP-17 @AP-29 @redirect
  Scenario: At the checkout with an error, after a refusal in redirect mode
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in redirect mode
    And the customer opens the URL that the acquirer returned
    And the customer refuses the purchase
    Then the customer ends on the Partner's checkout page with an error

  @AP-17 @AP-29 @sdk
  Scenario: At the checkout with an error, after a refusal in SDK mode
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in SDK mode
    And the customer opens the SDK with the payment request id that the acquirer returned
    And the customer refuses the purchase
    Then the customer ends on the Partner's checkout page with an error

  @AP-29
  Scenario: At the checkout with an error, after Klarna declined the final authorization
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And at the final authorization, Klarna will decline
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the customer ends on the Partner's checkout page with an error

  @AP-21 @AP-29
  Scenario: At the checkout with an error, after the payment request expired
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the payment request expires
    Then the customer ends on the Partner's checkout page with an error
